"""Tables, ratios, targets."""

import json

# What is shown of a scenario: (field, heading, digits).
COLUMNS = [
    ("per_second", "msg/s", 1), ("processor_us", "CPU us/msg", 1),
    ("rsa2048_us", "one RSA us", 1), ("in_signatures", "in RSA", 2), ("p50_ms", "p50 ms", 2),
    ("p99_ms", "p99 ms", 2), ("end_p99_ms", "end p99 ms", 2), ("end_p99_in_signatures", "in RSA", 2),
    ("even_p99_in_signatures", "evenly", 2),
    ("to_rsa_alone", "to RSA", 2), ("parts_us", "parts us", 1), ("efficiency", "efficiency", 2),
    ("start_ms", "start ms", 1), ("idle_mib", "idle MiB", 2), ("peak_mib", "peak MiB", 1), ("added_mib", "added MiB", 1),
    ("kib_per_connection", "KiB/idle", 1), ("kib_per_used_connection", "KiB/used", 1),
    ("generator_us", "load us/msg", 1), ("signed_share", "signed", 3),
]


class Target:
    """signet's number, or its ratio to `against`, must not be on the wrong side of `limit`."""

    def __init__(self, text, value, limit, at_least):
        self.text, self.value, self.limit, self.at_least = text, value, limit, at_least

    def line(self, medians):
        try:
            value = self.value(medians)
        except KeyError:
            return None, f"not measured  {self.text}"
        met = value >= self.limit if self.at_least else value <= self.limit
        sign = ">=" if self.at_least else "<="
        return met, f"{'met          ' if met else 'MISSED       '} {self.text}: {value:.2f} ({sign} {self.limit})"


def of(scenario, field, peer="signet"):
    return lambda m: m[scenario][peer][field]


def times(scenario, other, peer="signet"):
    """Each milter has one core to itself, so its rate is its rate per core."""
    return lambda m: m[scenario][peer]["per_second"] / m[scenario][other]["per_second"]


TARGETS = [
    Target("4 KiB: processor time by one bare RSA-2048 signature", of("small", "in_signatures"), 1.1, False),
    Target("4 KiB: messages per second by OpenDKIM's", times("small", "opendkim"), 5.2, True),
    Target("4 KiB: messages per second by rspamd's", times("small", "rspamd"), 2.6, True),
    Target("4 KiB in batches: processor us", of("small", "processor_us", "signet-batch"), 140, False),
    Target("4 KiB in batches: messages per second by OpenDKIM's",
           times("small", "opendkim", "signet-batch"), 15, True),
    Target("4 KiB in batches: messages per second by rspamd's",
           times("small", "rspamd", "signet-batch"), 7.5, True),
    Target("4 KiB, Ed25519 alone: processor us", of("ed25519", "processor_us"), 45, False),
    Target("4 KiB, RSA and Ed25519: processor time by that with RSA alone",
           of("both", "to_rsa_alone"), 1.06, False),
    Target("1 MiB: reading, SHA-256 and one signature by processor time", of("large", "efficiency"), 0.85, True),
    Target("25 MiB: messages per second by OpenDKIM's", times("huge", "opendkim"), 8, True),
    Target("eight messages of 25 MiB at once: added MiB", of("huge", "added_mib"), 4, False),
    Target("30 % load: p99 from end of message to the answer by one bare signature",
           of("calm", "end_p99_in_signatures"), 2, False),
    Target("the same, messages at even intervals", of("calm", "even_p99_in_signatures"), 2, False),
    Target("1,000 idle connections that have carried a message: MiB", of("idle", "idle_mib"), 4, False),
    Target("start to first signature with 100 keys: ms", of("start", "start_ms"), 50, False),
]


def print_machine(facts):
    print(f"{facts['processor']}, {facts['cores']} cores, {facts['memory_mib']} MiB; {facts['system']}")
    print(f"{facts['rustc']}; commit {facts['commit']}; load average {facts['load_average']:.2f}")
    for name, version in facts["versions"].items():
        print(f"{name}: {version}")


def print_results(results, peers):
    """Prints everything; False when a target is missed."""
    medians = {}
    print()
    for scenario, of_peer in results.items():
        medians[scenario] = {name: data["median"] for name, data in of_peer.items()}
        print_scenario(scenario, medians[scenario], peers)
    verdicts = [target.line(medians) for target in TARGETS]
    for _, line in verdicts:
        print(line)
    return all(met is not False for met, _ in verdicts)


def print_scenario(scenario, of_peer, peers):
    peers = [peer for peer in peers if peer in of_peer]
    if not peers:
        return
    columns = [column for column in COLUMNS if column[0] in of_peer[peers[0]]]
    print(f"{scenario:14}" + "".join(f"{heading:>12}" for _, heading, _ in columns))
    for peer in peers:
        numbers = (f"{of_peer[peer][field]:12.{digits}f}" for field, _, digits in columns)
        print(f"  {peer:12}" + "".join(numbers))
    print()


def save(out, facts, results):
    summary = out / "summary.json"
    summary.write_text(json.dumps({"machine": facts, "scenarios": results}, indent=1))
    print(f"\nraw results: {out}")
