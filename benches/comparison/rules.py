"""Many rules: what they cost at the start, at a reload, in memory and per message.

Each number of rules is one table file. With shared keys every rule signs with one
key file; with distinct keys every domain has a key file of its own (the same key
inside, since making a million takes a day). The messages are by a thousand authors
spread over the table, then by authors of domains that no rule is for.
"""

import os
import pathlib
import statistics
import sys

from .machine import DOMAIN, SELECTOR

KIB = 1024
AUTHORS = 1000
COLUMNS = [
    ("start_s", "start s", 3), ("reload_s", "reload s", 3), ("resident_mib", "MiB", 1),
    ("reloaded_mib", "reloaded", 1), ("peak_mib", "peak MiB", 1), ("per_second", "msg/s", 1),
    ("processor_us", "CPU us/msg", 1), ("absent_per_second", "absent/s", 1), ("absent_us", "CPU us/msg", 1),
]


def domain(number):
    return f"d{number}.rules.example"


class Case:
    """One number of rules, with shared or distinct keys, and its files."""

    def __init__(self, files, count, distinct, shared_keys):
        self.count, self.distinct = count, distinct
        self.name = f"{count} rules, {'distinct' if distinct else 'shared'} keys"
        directory = files / f"rules-{count}-{'distinct' if distinct else 'shared'}"
        self.table = directory / "table"
        self.keys = directory / "keys" if distinct else shared_keys
        # The table is written last: where it is, everything is.
        if not self.table.exists():
            directory.mkdir(parents=True)
            if distinct:
                self.make_keys((shared_keys / DOMAIN / f"{SELECTOR}.pem").read_bytes())
            self.make_table()

    def make_keys(self, key):
        self.keys.mkdir(mode=0o700)
        for number in range(self.count):
            own = f"{self.keys}/{domain(number)}"
            os.mkdir(own, 0o700)
            file = os.open(f"{own}/{SELECTOR}.pem", os.O_WRONLY | os.O_CREAT, 0o600)
            os.write(file, key)
            os.close(file)

    def make_table(self):
        signing = "%d" if self.distinct else DOMAIN
        lines = (f"{author} {signing} {SELECTOR}\n" for author in self.domains())
        unfinished = self.table.with_suffix(".new")
        with open(unfinished, "w") as table:
            table.writelines(lines)
        unfinished.rename(self.table)

    def domains(self):
        return (domain(number) for number in range(self.count))

    def authors(self):
        step = max(1, self.count // AUTHORS)
        return [f"ada@{domain(number)}" for number in range(0, self.count, step)][:AUTHORS]

    def strangers(self):
        return [f"ada@s{number}.elsewhere.example" for number in range(AUTHORS)]


def run_all(peers, generator, options, files, keys):
    """{peer: {case: {"summary": {...}, "runs": [...]}}}"""
    counts = sorted({10, *options.rules})
    # Only signet is measured with distinct keys, whose files take long to make.
    alone = options.shared or all(each.name != "signet" for each in peers)
    kinds = (False,) if alone else (False, True)
    cases = [Case(files, count, distinct, keys["rsa"]) for distinct in kinds for count in counts]
    runs = {each.name: {case.name: [] for case in cases} for each in peers}
    for turn in range(options.repeat):
        for each in peers:
            for case in cases:
                if case.count > each.most_rules or (case.distinct and each.name != "signet"):
                    continue
                print(f"  turn {turn + 1}: {case.name}, {each.name}", file=sys.stderr)
                runs[each.name][case.name].append(measure(each, case, generator, options))
    return {
        name: {case: {"summary": summary(of_case), "runs": of_case}
               for case, of_case in of_peer.items() if of_case}
        for name, of_peer in runs.items()
    }


def measure(each, case, generator, options):
    result = {}
    each.rules = case
    with each.running(deadline=120) as (socket, pids):
        result["start_s"] = each.start_seconds
        result["resident_mib"] = most(pids, "VmRSS")
        run = generator.load(socket, pids, 64, 4 * KIB, seconds=options.seconds, authors=case.authors())
        if run["unsigned"] or not run["messages"]:
            raise RuntimeError(f"{case.name}, {each.name}: unsigned: {run['unsigned_answers']}")
        result["per_second"] = run["messages_per_second"]
        result["processor_us"] = run["milter"]["processor_us_per_message"]
        run = generator.load(socket, pids, 64, 4 * KIB, seconds=options.seconds / 2, authors=case.strangers())
        if run["signed_share"]:
            raise RuntimeError(f"{case.name}, {each.name}: signed for strangers")
        result["absent_per_second"] = run["messages_per_second"]
        result["absent_us"] = run["milter"]["processor_us_per_message"]
        reloaded = each.reload(pids[0])
        if reloaded is not None:
            result["reload_s"] = reloaded
            result["reloaded_mib"] = most(pids, "VmRSS")
        result["peak_mib"] = most(pids, "VmHWM")
    each.rules = None
    return result


def most(pids, field):
    """MiB of the process that has most: what they share is not counted twice."""
    return max(status(pid, field) for pid in pids) / KIB


def status(pid, name):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise RuntimeError(f"/proc/{pid}/status has no {name}")


# What else runs on a machine only ever slows these: the best turn says most.
BEST = {"per_second": max, "processor_us": min, "absent_per_second": max, "absent_us": min}


def summary(runs):
    """Of each figure the median of the turns, or the best."""
    return {field: BEST.get(field, statistics.median)([run[field] for run in runs])
            for field in runs[0]}


def print_results(results, peers):
    """Prints everything; False when a target is missed."""
    for name in peers:
        print(f"\n{name:28}" + "".join(f"{heading:>11}" for _, heading, _ in COLUMNS))
        for case, data in results[name].items():
            numbers = (
                f"{data['summary'][field]:11.{digits}f}" if field in data["summary"] else f"{'-':>11}"
                for field, _, digits in COLUMNS
            )
            print(f"  {case:26}" + "".join(numbers))
    print()
    met = True
    for text, value, limit, at_least in targets(results.get("signet", {})):
        reached = value >= limit if at_least else value <= limit
        met &= reached
        sign = ">=" if at_least else "<="
        print(f"{'met          ' if reached else 'MISSED       '} {text}: {value:.2f} ({sign} {limit})")
    return met


def targets(of_signet):
    for case, data in of_signet.items():
        many, few = data["summary"], few_rules(of_signet, case)
        yield f"{case}: messages/s by those of 10 rules", many["per_second"] / few["per_second"], 0.95, True
        yield f"{case}: absent domains/s by those of 10 rules", many["absent_per_second"] / few["absent_per_second"], 0.95, True
        for count, seconds, mib in [(100_000, 0.5, 100), (1_000_000, 5, 800)]:
            if case.startswith(f"{count} "):
                yield f"{case}: seconds to start", many["start_s"], seconds, False
                yield f"{case}: seconds to reload", many["reload_s"], seconds, False
                yield f"{case}: MiB, peak", many["peak_mib"], mib, False


def few_rules(of_signet, case):
    return of_signet["10 rules," + case.split(",")[1]]["summary"]
