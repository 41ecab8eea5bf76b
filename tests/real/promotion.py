"""What others make of an envelope of gate: see promotion.sh."""

import base64
import json
import sys
from pathlib import Path


def split(envelope, folder):
    """The payload, what is signed of it, and each signature, as files."""
    envelope = json.loads(Path(envelope).read_text())
    kind, payload = envelope["payloadType"].encode(), base64.b64decode(envelope["payload"], validate=True)
    pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    Path(folder, "payload").write_bytes(payload)
    Path(folder, "pae").write_bytes(pae)
    for number, signature in enumerate(envelope["signatures"]):
        Path(folder, f"sig{number}").write_bytes(base64.b64decode(signature["sig"], validate=True))


def key_of(path):
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

    return SSlibKey.from_crypto(load_pem_public_key(Path(path).read_bytes()))


def verify(path, *keys):
    from in_toto_attestation.v1.statement import Statement
    from google.protobuf import json_format
    import in_toto_attestation.v1.statement_pb2 as pb
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import VerificationError

    text = Path(path).read_text()
    # Each key has its default id, not one that the envelope suggests.
    trusted = [key_of(key) for key in keys]
    accepted = Envelope.from_dict(json.loads(text)).verify(trusted, len(trusted))
    assert len(accepted) == len(keys), accepted
    payload = base64.b64decode(json.loads(text)["payload"])
    changed = json.loads(text)
    changed["payload"] = base64.b64encode(payload.replace(b"PASSED", b"FAILED")).decode()
    try:
        Envelope.from_dict(changed).verify(trusted, 1)
    except VerificationError:
        pass
    else:
        raise SystemExit("promotion.py: a changed payload was accepted")

    message = json_format.Parse(payload, pb.Statement())
    Statement.copy_from_pb(message).validate()
    assert message.predicate_type == "https://slsa.dev/verification_summary/v1", message.predicate_type
    summary(json.loads(payload)["predicate"])
    print(f"{len(accepted)} signatures hold; {message.subject[0].name} {message.subject[0].digest['sha256'][:12]}…")


def summary(predicate):
    """The predicate, by in-toto-attestation's own class. Consumers ignore fields that they do not know. The class of 0.9.3
    takes one text for `verifiedLevels`, where SLSA has a list, so it is given the one level of the list."""
    from google.protobuf import json_format
    from in_toto_attestation.predicates.vsa.v1.vsa_pb2 import VerificationSummary

    levels = predicate["verifiedLevels"]
    message = json_format.ParseDict(
        {**predicate, "verifiedLevels": levels[0]}, VerificationSummary(), ignore_unknown_fields=True
    )
    assert message.verifier.id == predicate["verifier"]["id"], message
    assert message.resource_uri == predicate["resourceUri"], message
    assert message.verification_result == "PASSED" and message.verified_levels == "GATE_STAGE_STAGING", message
    assert message.time_verified.seconds > 0 and message.policy.digest["sha256"], message


def sign(payload, key, out):
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner

    private = load_pem_private_key(Path(key).read_bytes(), None)
    envelope = Envelope(Path(payload).read_bytes(), "application/vnd.in-toto+json", {})
    envelope.sign(CryptoSigner(private))
    Path(out).write_text(json.dumps(envelope.to_dict()))


if __name__ == "__main__":
    {"split": split, "verify": verify, "sign": sign}[sys.argv[1]](*sys.argv[2:])
