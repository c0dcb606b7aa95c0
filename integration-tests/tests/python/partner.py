"""A partner's own system: everything it knows of the services it learns from them, by reflection.

Usage: partner.py ADDRESS REFERRAL_ID, with the bearer token in the variable TOKEN. Prints what it saw as JSON.
"""

import json
import os
import sys
import uuid

import grpc
from google.protobuf import json_format
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

SERVICE = "wraparound.partners.v1.ReferralService"


class Referrals:
    """Calls of the referral service, made from its descriptor."""

    def __init__(self, channel, token):
        database = ProtoReflectionDescriptorDatabase(channel)
        self.services = sorted(database.get_services())
        self.service = DescriptorPool(database).FindServiceByName(SERVICE)
        self.channel = channel
        self.metadata = [("authorization", "Bearer " + token)]

    def call(self, name, **fields):
        method = self.service.methods_by_name[name]
        request = json_format.ParseDict(fields, GetMessageClass(method.input_type)())
        kind = self.channel.unary_stream if method.server_streaming else self.channel.unary_unary
        call = kind(
            f"/{SERVICE}/{name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )
        return call(request, metadata=self.metadata, timeout=20)

    def move(self, referral_id, transition):
        answer = self.call("TransitionReferral", referral_id=referral_id, transition=transition, request_id=str(uuid.uuid4()))
        return as_dict(answer)["referral"]["state"]


def as_dict(message):
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def main():
    address, referral_id = sys.argv[1:]
    with grpc.insecure_channel(address) as channel:
        referrals = Referrals(channel, os.environ["TOKEN"])
        watch = referrals.call("WatchReferrals")
        watched = as_dict(next(message for message in watch if message.HasField("referral") and message.referral.referral_id == referral_id))
        listed = as_dict(referrals.call("ListReferrals"))["referrals"]
        steps = ["open", "accept", "start", "attend", "complete"]
        states = [referrals.move(referral_id, step) for step in steps]
        # What was done shows in the stream, too.
        for message in watch:
            if message.HasField("referral") and message.referral.referral_id == referral_id and as_dict(message)["referral"]["state"] == states[-1]:
                break
        watch.cancel()
        read = as_dict(referrals.call("GetReferral", referral_id=referral_id))
        try:
            referrals.call("GetReferral", referral_id=str(uuid.uuid4()))
            refused = "OK"
        except grpc.RpcError as error:
            refused = error.code().name
    seen = {"services": referrals.services, "watched": watched["referral"], "listed": listed, "states": states, "read": read, "refused": refused}
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main()
