"""Autobahn|Testsuite's fuzzing client or server, for CPython 2.7 (run.py calls it).

    fuzzing.py server SPEC.json    a server on a free port of 127.0.0.1, printed as "listening on URL"
    fuzzing.py client SPEC.json    a client that runs all cases against one server, then ends

It stands in for the suite's own `wstest`, which listens on every interface, opens a web page, and drops the
remaining cases with exit status 0 when one connection is refused. SPEC is wstest's, and may hold "scale": the part
of the messages that each case of sections 12 and 13 sends.
"""

import functools
import json
import sys

from autobahntestsuite import choosereactor  # first: it installs the reactor
from autobahntestsuite import fuzzing
from autobahntestsuite.case import Cases
from twisted.internet import reactor

exit_status = 0


def scale_messages(scale):
    """Has each case of sections 12 and 13 send a part of its 1000 messages."""
    for case in Cases:
        if hasattr(case, "COUNT"):
            case.COUNT = max(1, int(case.COUNT * scale))


def only_json(factory):
    """Leaves out the HTML reports: run.py reads the JSON."""
    factory.createReports = functools.partial(factory.createReports, produceHtml=False)
    return factory


class Client(fuzzing.FuzzingClientFactory):
    def clientConnectionFailed(self, connector, reason):
        global exit_status
        exit_status = 1
        print "case %s: connection failed: %s" % (self.currentCaseId, reason.getErrorMessage())
        reactor.stop()


def start_server(spec):
    factory = only_json(fuzzing.FuzzingServerFactory(spec))
    port = reactor.listenTCP(0, factory, interface="127.0.0.1").getHost().port
    # Autobahn compares the Host header with the URL that it was given.
    factory.setSessionParameters(url="ws://127.0.0.1:%d" % port, server=factory.server)
    print "listening on %s" % factory.url


def main(role, path):
    with open(path) as file:
        spec = json.load(file)
    scale_messages(spec.pop("scale", 1))
    if role == "server":
        start_server(spec)
    else:
        only_json(Client(spec))
    sys.stdout.flush()
    reactor.run()
    sys.exit(exit_status)


if __name__ == "__main__":
    main(*sys.argv[1:])
