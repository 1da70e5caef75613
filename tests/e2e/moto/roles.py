"""STS in moto lets anyone assume a role that nobody made.

stopgap's own roles (`stopgap-...`) must be there, with the ExternalId that their trust policy asks for. Any other role is
taken to be, so that a tester gets into any account: `aws sts assume-role --role-arn arn:aws:iam::111122223333:role/tester`.
"""

import json

from moto.core.exceptions import ServiceException
from moto.iam.models import iam_backends
from moto.sts.models import STSBackend


class AccessDenied(ServiceException):
    def __init__(self, role_arn):
        message = f"User is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
        super().__init__("AccessDenied", message)


def mend():
    assume_role = STSBackend.assume_role

    def assume_role_that_is_there(
        self, region_name, role_session_name, role_arn, policy, duration, external_id
    ):
        if role_arn.split("/")[-1].startswith("stopgap-") and not lets_in(role_arn, external_id):
            raise AccessDenied(role_arn)
        return assume_role(self, region_name, role_session_name, role_arn, policy, duration, external_id)

    STSBackend.assume_role = assume_role_that_is_there


def lets_in(role_arn, external_id):
    _, partition, _, _, account, _ = role_arn.split(":")
    roles = iam_backends[account][partition].roles.values()
    trust = next((role.assume_role_policy_document for role in roles if role.arn == role_arn), None)
    if trust is None:
        return False
    statements = (json.loads(trust) if isinstance(trust, str) else trust)["Statement"]
    asked = [
        equals["sts:ExternalId"]
        for statement in (statements if isinstance(statements, list) else [statements])
        if "sts:ExternalId" in (equals := statement.get("Condition", {}).get("StringEquals", {}))
    ]
    return not asked or external_id in asked
