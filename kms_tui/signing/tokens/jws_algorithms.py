"""THE table of JWS algorithms: which KMS algorithm makes each, with keys of which spec.

Source: RFC 7518 (RS, PS, ES, HS), 8812 (ES256K), 8037 and 9864 (EdDSA and Ed25519), 9964 (ML-DSA).
"""

from __future__ import annotations

from typing import NamedTuple

from kms_tui.kms.keyspecs import KEY_SPECS, MAX_PLAINTEXT
from kms_tui.signing.tokens.token_errors import TokenError, TokenField


class JwsAlgorithm(NamedTuple):
    """One value of a token's ``alg``."""

    name: str
    kms: str
    """The SigningAlgorithm or MacAlgorithm."""
    specs: tuple[str, ...]
    """The key specs whose keys have it."""

    @property
    def is_mac(self) -> bool:
        return self.kms.startswith("HMAC")

    @property
    def signs_digests(self) -> bool:
        """Whether a token of any size can be signed with one call of KMS."""
        return not self.is_mac and not self.kms.startswith("ED25519")


_RSA = ("RSA_2048", "RSA_3072", "RSA_4096")
_TABLE = (
    *(JwsAlgorithm(f"RS{bits}", f"RSASSA_PKCS1_V1_5_SHA_{bits}", _RSA) for bits in (256, 384, 512)),
    *(JwsAlgorithm(f"PS{bits}", f"RSASSA_PSS_SHA_{bits}", _RSA) for bits in (256, 384, 512)),
    JwsAlgorithm("ES256", "ECDSA_SHA_256", ("ECC_NIST_P256",)),
    JwsAlgorithm("ES384", "ECDSA_SHA_384", ("ECC_NIST_P384",)),
    JwsAlgorithm("ES512", "ECDSA_SHA_512", ("ECC_NIST_P521",)),
    JwsAlgorithm("ES256K", "ECDSA_SHA_256", ("ECC_SECG_P256K1",)),
    JwsAlgorithm("EdDSA", "ED25519_SHA_512", ("ECC_NIST_EDWARDS25519",)),
    JwsAlgorithm("Ed25519", "ED25519_SHA_512", ("ECC_NIST_EDWARDS25519",)),
    *(JwsAlgorithm(f"HS{bits}", f"HMAC_SHA_{bits}", (f"HMAC_{bits}",)) for bits in (256, 384, 512)),
    *(JwsAlgorithm(f"ML-DSA-{level}", "ML_DSA_SHAKE_256", (f"ML_DSA_{level}",)) for level in (44, 65, 87)),
)
JWS_ALGORITHMS = {algorithm.name: algorithm for algorithm in _TABLE}


def algorithms_of(spec: str) -> tuple[JwsAlgorithm, ...]:
    """The algorithms of a key spec, the default first: RS256, and EdDSA, which more verifiers know than
    Ed25519. None for HMAC_224 and SM2, and for keys that do not sign.
    """
    return tuple(algorithm for algorithm in _TABLE if spec in algorithm.specs)


def algorithm_for(spec: str, key: str, asked: str = "") -> JwsAlgorithm:
    """The algorithm of a key by its JOSE or its KMS name; the default without a name.

    TokenError if no token is signed with such keys, or if this key does not have the algorithm. ``key`` is
    its name in the sentence.
    """
    offered = algorithms_of(spec)
    if not offered:
        raise TokenError(
            TokenField.KEY,
            f"{key} is an {spec} key: JOSE has no algorithm for it.",
            next_step="Choose an HMAC_256, HMAC_384 or HMAC_512 key." if spec == "HMAC_224" else "",
        )
    found = next((each for each in offered if not asked or asked in (each.name, each.kms)), None)
    if found is not None:
        return found
    if asked.lower() == "none":
        raise TokenError(TokenField.ALGORITHM, "A token with alg none has no signature: none is made here.")
    known = asked in JWS_ALGORITHMS or any(asked == each.kms for each in _TABLE)
    title = f"{key} is an {spec} key: it has no {asked}." if known else f"There is no algorithm {asked}."
    raise TokenError(
        TokenField.ALGORITHM, title, next_step=f"It signs with {', '.join(each.name for each in offered)}."
    )


def require_size(algorithm: JwsAlgorithm, size: int) -> None:
    """TokenError for a signing input that the algorithm cannot sign: EdDSA and MACs take no digest."""
    if size > MAX_PLAINTEXT and not algorithm.signs_digests:
        raise TokenError(
            TokenField.CLAIMS,
            f"{algorithm.name} signs whole messages: header and claims have at most {MAX_PLAINTEXT:,} "
            f"bytes in base64url; here are {size:,}.",
            next_step="Shorten the claims, or use an RSA, P-256 or ML-DSA key.",
        )


def title_of(spec: str) -> str:
    """A key spec for a sentence: "an RSA_2048 key"; "a key of a kind that KMS does not have" without one."""
    return f"an {spec} key" if spec in KEY_SPECS else "a key of a kind that KMS does not have"
