"""Serves moto with its faults mended, on a free port of 127.0.0.1 that is printed as the first line.

moto's interpreter calls every service under http://localhost:$MOTO_PORT. That is not this server's port but the
router's, which sends Lambda invocations to the function host and everything else here.

Ends when standard input does, so that it never outlives whoever started it, however that ended.
"""

import os
import sys
import threading

from moto.core.config import default_user_config
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

import cloudwatch_cbor
import ec2_manners
import event_targets
import interpreter
import roles
import stores


class QuietHandler(WSGIRequestHandler):
    """Logs no request: there are thousands."""

    protocol_version = "HTTP/1.1"

    def log_request(self, *_):
        pass


def end_with_standard_input():
    sys.stdin.buffer.read()
    os._exit(0)


def main():
    for part in (interpreter, stores, ec2_manners, event_targets, roles, cloudwatch_cbor):
        part.mend()
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    threading.Thread(target=end_with_standard_input, daemon=True).start()
    application = cloudwatch_cbor.understood(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=QuietHandler)
    print(server.port, flush=True)
    # Nobody reads any further; what else is printed belongs to the log.
    sys.stdout = sys.stderr
    server.serve_forever()


if __name__ == "__main__":
    main()
