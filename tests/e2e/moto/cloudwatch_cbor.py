"""CloudWatch's alarms as the AWS SDK for Rust asks for them.

The SDK speaks Smithy's RPC v2 in CBOR, where moto knows JSON and queries: a request becomes one in JSON, and its answer CBOR
again, by botocore's model of the service. EnableAlarmActions and DisableAlarmActions are not in moto at all.
"""

import io
import json
import re

from botocore.parsers import RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer
from botocore.session import get_session
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import EmptyResult
from werkzeug.test import run_wsgi_app

OPERATION = re.compile(r"/service/(GraniteServiceVersion20100801)/operation/(\w+)")


def mend():
    CloudWatchResponse.enable_alarm_actions = lambda self: have_them_act(self, True)
    CloudWatchResponse.disable_alarm_actions = lambda self: have_them_act(self, False)


def have_them_act(response, acts):
    for alarm in response.cloudwatch_backend.get_alarms_by_alarm_names(response._get_param("AlarmNames", [])):
        alarm.actions_enabled = acts
    return EmptyResult()


def understood(application):
    """The application, and what asks CloudWatch in CBOR besides."""
    model = get_session().get_service_model("cloudwatch")

    def answer(environ, start_response):
        asked = OPERATION.fullmatch(environ["PATH_INFO"])
        if asked is None:
            return application(environ, start_response)
        service, operation = asked.groups()
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        document = json.dumps(decoded(body)).encode()
        in_json = {
            "PATH_INFO": "/",
            "CONTENT_TYPE": "application/x-amz-json-1.0",
            "CONTENT_LENGTH": str(len(document)),
            "HTTP_X_AMZ_TARGET": f"{service}.{operation}",
            "wsgi.input": io.BytesIO(document),
        }
        told, status, _ = run_wsgi_app(application, {**environ, **in_json})
        told = json.loads(b"".join(told) or b"{}")
        refused = not status.startswith("200")
        body = refusal(told) if refused else encoded(told, model.operation_model(operation).output_shape)
        headers = [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body]

    return answer


def decoded(body):
    parser = RpcV2CBORParser()
    return parser.parse_data_item(parser.get_peekable_stream_from_bytes(body)) if body else {}


def encoded(document, shape):
    body = bytearray()
    if shape is not None:
        RpcV2CBORSerializer()._serialize_data_item(body, document, shape)
    return bytes(body)


def refusal(document):
    """A map of two texts: the error's name and what it says."""
    body = bytearray(b"\xa2")
    for text in ("__type", document.get("__type", ""), "message", document.get("message", "")):
        RpcV2CBORSerializer()._serialize_type_string(body, text, None, None)
    return bytes(body)
