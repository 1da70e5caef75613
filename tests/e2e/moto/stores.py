"""CloudFormation puts state machines where moto's interpreter does not look for them: let it use the interpreter's."""

from moto.stepfunctions import models
from moto.stepfunctions.parser.models import stepfunctions_parser_backends


def mend():
    models.stepfunctions_backends = stepfunctions_parser_backends
