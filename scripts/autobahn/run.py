#!/usr/bin/env python3
"""Runs Autobahn|Testsuite against this crate's examples, and judges the report strictly.

    run.py                          server and client, each whole and split: sections 1 to 7, 9, 10, 12 and 13
    run.py server client-split      two of the four runs
    run.py --sections 12,13 --scale 1
                                    permessage-deflate with all of its messages (10 minutes a run)
    run.py server --sections 7.9    the cases whose numbers begin so, while developing

A run passes when every case is in the report and OK (the three that have no right answer may be INFORMATIONAL), none
NON-STRICT or UNIMPLEMENTED, and the testee's Close frame reached the suite with the code that the case asks for: in
each case in which the testee must fail the connection, and in each other one.
"""

import argparse
import collections
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from process import Failure, Program, build_examples, fail_on_signal  # noqa: E402

# How many cases each section of autobahntestsuite 25.10.1 has.
SECTION_SIZES = {1: 16, 2: 11, 3: 7, 4: 10, 5: 20, 6: 145, 7: 37, 9: 54, 10: 1, 12: 90, 13: 126}

# How many of a section's cases the testee must fail the connection in: 30 by 1002, 75 by 1007.
SECTION_FAILURES = {2: 1, 3: 7, 4: 10, 5: 12, 6: 75}

# The cases that have no right answer: a Close that crosses a long message; codes that no RFC defines.
NO_RIGHT_ANSWER = {"7.1.6", "7.13.1", "7.13.2"}

# The case in which the suite's own Close frame has no code, and the answer need not have one.
NO_CODE = {"7.3.1"}

MUST_FAIL, RIGHT_CODE = "must fail", "right code"

RUNS = ["server", "server-split", "client", "client-split"]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="*", metavar="RUN", help=f"any of {', '.join(RUNS)} (default: all)")
    parser.add_argument("--sections", default="1-7,9,10,12,13", help="as 1-7,9,10 or 7.9 (default: %(default)s)")
    parser.add_argument("--scale", type=float, default=0.05, help="part of the messages of each case of 12 and 13 (default: %(default)s)")
    parser.add_argument("--server-command", help="another testee instead of the example echo_server ADDRESS")
    parser.add_argument("--client-command", help="another testee instead of the example autobahn_client URL")
    parser.add_argument("--seconds", type=int, help="most time for one run (default: by the sections)")
    parser.add_argument("--out", type=pathlib.Path, default=HERE.parent.parent / "target" / "autobahn")
    arguments = parser.parse_args()
    for run in arguments.runs:
        if run not in RUNS:
            parser.error(f"unknown run {run!r}: one of {', '.join(RUNS)}")
    arguments.runs = arguments.runs or RUNS
    return arguments


def expand_sections(text):
    """`1-3,7.9` as the suite's case patterns, with the number of cases and of failures that they must bring."""
    sections, parts = [], []
    for item in text.split(","):
        if match := re.fullmatch(r"(\d+)-(\d+)", item):
            sections += [n for n in range(int(match[1]), int(match[2]) + 1) if n in SECTION_SIZES]
        elif item.isdigit() and int(item) in SECTION_SIZES:
            sections.append(int(item))
        elif re.fullmatch(r"\d+(\.\d+)+", item):
            parts.append(f"{item}*")
        else:
            raise Failure(f"no such section: {item}")
    patterns = [f"{section}.*" for section in sections]
    if parts:
        return patterns + parts, None, None
    cases = sum(SECTION_SIZES[section] for section in sections)
    return patterns, cases, sum(SECTION_FAILURES.get(section, 0) for section in sections)


def fuzzing(python, role, spec, folder):
    """Autobahn's side of a run."""
    path = folder / "spec.json"
    path.write_text(json.dumps(spec))
    return Program(python, "-u", str(HERE / "fuzzing.py"), role, str(path))


def run_server(python, command, spec, agent, folder, seconds):
    with Program(*command, "127.0.0.1:0", *split_flag(agent)) as testee:
        url = testee.expect(r"listening on (ws://\S+)")[1]
        spec = spec | {"servers": [{"url": url, "agent": agent}]}
        with fuzzing(python, "client", spec, folder) as suite:
            suite.finish(seconds)
        if not testee.running():
            raise Failure(f"the server under test has ended:\n{testee.tail()}")


def run_client(python, command, spec, agent, folder, seconds):
    with fuzzing(python, "server", spec | {"url": "ws://127.0.0.1:9"}, folder) as suite:
        url = suite.expect(r"listening on (ws://\S+)")[1]
        with Program(*command, url, *split_flag(agent)) as testee:
            testee.finish(seconds)


def split_flag(agent):
    return ["--split"] if agent.endswith("-split") else []


def read_report(folder, agent):
    """Each case's own report, by its id: only these have the close codes that were expected."""
    index = folder / "index.json"
    if not index.exists():
        raise Failure("the suite wrote no report")
    agents = json.loads(index.read_text())
    if list(agents) != [agent]:
        raise Failure(f"the report is about {list(agents)}, not about {agent!r}")
    return {case: json.loads((folder / entry["reportfile"]).read_text()) for case, entry in agents[agent].items()}


def judge(reports, cases, failures):
    """Prints every complaint and the counts, and returns both."""
    complaints = []
    must_fail = wrong_code = 0
    for case, report in sorted(reports.items(), key=lambda item: [int(n) for n in item[0].split(".")]):
        allowed = {"OK", "INFORMATIONAL"} if case in NO_RIGHT_ANSWER else {"OK"}
        expected = report["expectedClose"]
        code = report["remoteCloseCode"]
        if report["behavior"] not in allowed:
            complaints.append(f"{case} {report['behavior']}: {report['result']}\n    {report['expectation']}")
        if report["behaviorClose"] not in allowed:
            complaints.append(f"{case} close {report['behaviorClose']}: {report['resultClose']}")
        # The suite itself is content with no Close frame at all, and with no answer to its own.
        right = code in expected["closeCode"] or case in NO_RIGHT_ANSWER | NO_CODE
        if not right:
            complaints.append(f"{case} Close frame: got {code}, expected {expected['closeCode']}")
        if not expected["closedByMe"]:
            must_fail += 1
            wrong_code += not right
    if cases is not None and len(reports) != cases:
        complaints.append(f"{len(reports)} cases are in the report, {cases} were to be run")
    if failures is not None and must_fail != failures:
        complaints.append(f"{must_fail} cases asked for a failed connection, {failures} were to")
    if not reports:
        complaints.append("no case was run")

    for complaint in complaints:
        print(f"  {complaint}")
    counts = collections.Counter(report["behavior"] for report in reports.values())
    counts[MUST_FAIL], counts[RIGHT_CODE] = must_fail, must_fail - wrong_code
    print(f"  {describe(counts)}")
    return complaints, counts


def describe(counts):
    behaviors = {name: count for name, count in counts.most_common() if name not in (MUST_FAIL, RIGHT_CODE)}
    words = [f"{count} {name}" for name, count in behaviors.items()]
    words.append(f"close code reached the peer in {counts[RIGHT_CODE]} of {counts[MUST_FAIL]} failed connections")
    return f"{sum(behaviors.values())} cases: {', '.join(words)}"


def main():
    fail_on_signal()
    arguments = parse_arguments()
    patterns, cases, failures = expand_sections(arguments.sections)
    # 1 to 7, 9 and 10 take 20 s; each case of 12 and 13 takes up to 20 s at full scale.
    slow = sum(pattern.startswith(("12", "13")) for pattern in patterns)
    seconds = arguments.seconds or 300 + int(slow * 1200 * arguments.scale)
    spec = {"cases": patterns, "scale": arguments.scale}

    environment = subprocess.run(
        [HERE.parent / "venv.sh", "python2", HERE / "autobahntestsuite.txt"],
        stdout=subprocess.PIPE, text=True, timeout=1500,
    )  # fmt: skip
    if environment.returncode != 0:
        raise Failure("Autobahn|Testsuite could not be installed")
    python = environment.stdout.strip() + "/bin/python"

    commands = {"server": arguments.server_command, "client": arguments.client_command}
    if None in (commands[run.split("-")[0]] for run in arguments.runs):
        server, client = build_examples("echo_server", "autobahn_client", features="deflate")
        commands = {"server": commands["server"] or server, "client": commands["client"] or client}

    results = {}
    total = collections.Counter()
    for run in arguments.runs:
        role, _, form = run.partition("-")
        agent = "ws_channel" + (f"-{form}" if form else "")
        folder = arguments.out.resolve() / run
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        start = time.monotonic()
        print(f"autobahn {run}, sections {arguments.sections}, scale {arguments.scale:g}", flush=True)
        try:
            play = run_server if role == "server" else run_client
            play(python, shlex.split(commands[role]), spec | {"outdir": str(folder)}, agent, folder, seconds)
            complaints, counts = judge(read_report(folder, agent), cases, failures)
            results[run] = not complaints
            total += counts
        except Failure as failure:
            print(f"  {failure}")
            results[run] = False
        print(f"  {'passed' if results[run] else 'FAILED'} in {time.monotonic() - start:.0f} s; reports in {folder}\n")

    failed = [run for run, passed in results.items() if not passed]
    print(f"autobahn: {len(results) - len(failed)} of {len(results)} runs passed; {describe(total)}")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"autobahn: {failure}")
