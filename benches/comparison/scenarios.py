"""What is measured. A scenario is a function of a fresh milter; it returns numbers.

Every scenario runs for each peer in turn, and the turns are repeated, so that a
slow minute of the machine falls on all of them.
"""

import json
import statistics
import sys

from . import first

KIB, MIB = 1024, 1024 * 1024


def small(peer, generator, options):
    """Small messages, and their price in bare signatures, measured just before and after."""
    with peer.running() as (socket, pids):
        rsa = bare(generator, options, "rsa2048")
        result = load_result(generator.load(socket, pids, 64, 4 * KIB, seconds=options.seconds))
        result["rsa2048_us"] = (rsa + bare(generator, options, "rsa2048")) / 2
        result["in_signatures"] = result["processor_us"] / result["rsa2048_us"]
        return result


def ed25519(peer, generator, options):
    """Small messages signed with an Ed25519 key alone."""
    with peer.running("ed25519") as (socket, pids):
        return load_result(generator.load(socket, pids, 64, 4 * KIB, seconds=options.seconds))


def both(peer, generator, options):
    """Small messages with two signatures, beside the same with the RSA signature alone."""
    def load(kind):
        with peer.running(kind) as (socket, pids):
            return load_result(generator.load(socket, pids, 64, 4 * KIB, seconds=options.seconds))

    result, alone = load("both"), load("rsa")
    result["to_rsa_alone"] = result["processor_us"] / alone["processor_us"]
    return result


def medium(peer, generator, options):
    with peer.running() as (socket, pids):
        return load_result(generator.load(socket, pids, 64, 50 * KIB, seconds=options.seconds))


def large(peer, generator, options):
    """Messages of 1 MiB, beside what cannot be spared: reading, hashing and signing."""
    with peer.running() as (socket, pids):
        parts = sum(bare(generator, options, name) for name in ("socket", "sha256", "rsa2048"))
        result = load_result(generator.load(socket, pids, 16, MIB, seconds=options.seconds))
        result["parts_us"] = parts
        result["efficiency"] = parts / result["processor_us"]
        return result


def huge(peer, generator, options):
    """Eight messages of 25 MiB at once, after small ones have warmed the milter up."""
    with peer.running() as (socket, pids):
        generator.load(socket, pids, 8, 4 * KIB, messages=400)
        run = generator.load(socket, pids, 8, 25 * MIB, seconds=2 * options.seconds)
        result = load_result(run)
        result["added_mib"] = (run["milter"]["resident_peak"] - run["milter"]["resident_before"]) / MIB
        return result


def crowd(peer, generator, options):
    """Peak memory of a fresh process under 256 busy connections."""
    with peer.running() as (socket, pids):
        return load_result(generator.load(socket, pids, 256, 4 * KIB, seconds=options.seconds))


def calm(peer, generator, options):
    """Latency at 30 % of the load the milter can carry, arriving at random and evenly."""
    with peer.running() as (socket, pids):
        rsa = bare(generator, options, "rsa2048")
        most = generator.load(socket, pids, 64, 4 * KIB, seconds=options.seconds / 2)
        rate = 0.3 * most["messages_per_second"]
        def at_rate(evenly):
            run = generator.load(
                socket, pids, 64, 4 * KIB, seconds=options.seconds, rate=rate, evenly=evenly
            )
            return load_result(run)

        result, even = at_rate(evenly=False), at_rate(evenly=True)
        result["end_p99_in_signatures"] = result["end_p99_ms"] * 1000 / rsa
        result["even_p99_in_signatures"] = even["end_p99_ms"] * 1000 / rsa
        result["raw"] = {"random": result["raw"], "evenly": even["raw"]}
        return result


def idle(peer, generator, options):
    # With the one that comes first they are a thousand, as many as signet lets in at once.
    connections = 999
    with peer.running() as (socket, pids):
        run = generator.idle(socket, pids, connections, 4 * KIB)
        return {
            "kib_per_connection": run["bytes_per_connection"] / KIB,
            "kib_per_used_connection": run["bytes_per_used_connection"] / KIB,
            "idle_mib": run["bytes_per_used_connection"] * connections / MIB,
            "raw": run,
        }


def start(peer, generator, options):
    """From the start of the program to its first signature, with a hundred keys to read."""
    took = [first.seconds(peer, "hundred") * 1000 for _ in range(5)]
    return {"start_ms": statistics.median(took), "raw": took}


def at(connections):
    """Messages a second over so many connections, for the chart."""
    def scenario(peer, generator, options):
        with peer.running() as (socket, pids):
            return load_result(
                generator.load(socket, pids, connections, 4 * KIB, seconds=options.seconds)
            )
    return scenario


def bare(generator, options, primitive):
    return generator.primitive(primitive, options.server_core)


SCENARIOS = {
    "small": small, "ed25519": ed25519, "both": both, "medium": medium, "large": large,
    "huge": huge, "crowd": crowd, "calm": calm, "idle": idle, "start": start,
    **{f"at{connections}": at(connections) for connections in (1, 4, 16, 64, 256)},
}
# The others sign with RSA alone here.
OF_SIGNET = {"ed25519", "both"}
# Connections at once, where they are many.
CONNECTIONS = {"crowd": 256, "at256": 256, "idle": 1000}


def measures(scenario, peer):
    if scenario in OF_SIGNET and not peer.name.startswith("signet"):
        return False
    most = peer.most_connections
    return most is None or CONNECTIONS.get(scenario, 0) <= most


def load_result(run):
    if run["unsigned"] or run["failures"] or not run["messages"]:
        print(
            f"WARNING: {run['unsigned']} of {run['messages']} unsigned: "
            f"{run['unsigned_answers']} {run['failures']}",
            file=sys.stderr,
        )
    latency, end = run["latency_us"] or {}, run["end_of_message_us"] or {}
    return {
        "per_second": run["messages_per_second"],
        "processor_us": run["milter"]["processor_us_per_message"],
        "cores": run["milter"]["cores"],
        "peak_mib": run["milter"]["resident_peak"] / MIB,
        "p50_ms": latency.get("p50", 0) / 1000,
        "p99_ms": latency.get("p99", 0) / 1000,
        "end_p99_ms": end.get("p99", 0) / 1000,
        "generator_us": run["generator_us_per_message"],
        "signed_share": run["signed_share"],
        "raw": run,
    }


def run_all(peers, generator, options):
    """{scenario: {peer: {"median": {...}, "runs": [...]}}}"""
    chosen = options.only.split(",") if options.only else list(SCENARIOS)
    unknown = set(chosen) - set(SCENARIOS)
    if unknown:
        raise RuntimeError(f"no such scenario: {', '.join(unknown)}; known: {', '.join(SCENARIOS)}")
    runs = {scenario: {peer.name: [] for peer in peers} for scenario in chosen}
    for turn in range(options.repeat):
        for scenario in chosen:
            for peer in peers:
                if not measures(scenario, peer):
                    continue
                print(f"  turn {turn + 1}: {scenario}, {peer.name}", file=sys.stderr)
                result = SCENARIOS[scenario](peer, generator, options)
                raw = options.out / f"{scenario}-{peer.name}-{turn + 1}.json"
                raw.write_text(json.dumps(result.pop("raw"), indent=1))
                runs[scenario][peer.name].append(result)
    return {
        scenario: {name: {"median": medians(of_peer), "runs": of_peer}
                   for name, of_peer in of_scenario.items() if of_peer}
        for scenario, of_scenario in runs.items()
    }


def medians(runs):
    return {field: statistics.median(run[field] for run in runs) for field in runs[0]}
