"""Tables, ratios, targets."""

import json

# What is shown of a scenario: (field, heading, digits).
COLUMNS = [
    ("per_second", "msg/s", 1), ("processor_us", "CPU us/msg", 1),
    ("rsa2048_us", "one RSA us", 1), ("in_signatures", "in RSA", 2), ("p50_ms", "p50 ms", 2),
    ("p99_ms", "p99 ms", 2), ("peak_mib", "peak MiB", 1), ("added_mib", "added MiB", 1),
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


def times_opendkim(scenario):
    """Each milter has one core to itself, so its rate is its rate per core."""
    return lambda m: m[scenario]["signet"]["per_second"] / m[scenario]["opendkim"]["per_second"]


TARGETS = [
    Target("4 KiB: processor time per message by one bare RSA-2048 signature",
           lambda m: m["small"]["signet"]["in_signatures"], 1.2, False),
    Target("4 KiB: messages per second per core by OpenDKIM's", times_opendkim("small"), 4.5, True),
    Target("1 MiB: messages per second per core by OpenDKIM's", times_opendkim("large"), 4, True),
    Target("25 MiB: messages per second per core by OpenDKIM's", times_opendkim("huge"), 4, True),
    Target("256 connections: peak MiB", lambda m: m["crowd"]["signet"]["peak_mib"], 24, False),
    Target("eight messages of 25 MiB at once: added MiB", lambda m: m["huge"]["signet"]["added_mib"], 8, False),
    Target("an idle connection: KiB", lambda m: m["idle"]["signet"]["kib_per_connection"], 16, False),
    Target("an idle connection that has carried a message: KiB",
           lambda m: m["idle"]["signet"]["kib_per_used_connection"], 16, False),
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
    columns = [column for column in COLUMNS if column[0] in of_peer[peers[0]]]
    print(f"{scenario:12}" + "".join(f"{heading:>12}" for _, heading, _ in columns))
    for peer in peers:
        numbers = (f"{of_peer[peer][field]:12.{digits}f}" for field, _, digits in columns)
        print(f"  {peer:10}" + "".join(numbers))
    print()


def save(out, facts, results):
    summary = out / "summary.json"
    summary.write_text(json.dumps({"machine": facts, "scenarios": results}, indent=1))
    print(f"\nraw results: {out}")
