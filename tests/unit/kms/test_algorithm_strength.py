"""Every key spec has a strength, and only public-key algorithms from before ML-DSA and ML-KEM are broken."""

from __future__ import annotations

from kms_tui.kms.algorithm_strength import family_of, strength_of
from kms_tui.kms.keyspecs import KEY_SPECS, Family

_BROKEN = (Family.RSA, Family.ECC, Family.SM2)


def test_every_spec_has_a_strength_that_fits_its_family() -> None:
    for name, spec in KEY_SPECS.items():
        strength = strength_of(name)
        assert strength is not None, name
        assert family_of(name) is spec.family
        assert strength.is_broken_by_quantum_computers == (spec.family in _BROKEN)
        assert 112 <= strength.bits <= 256
        assert strength.quantum_category in range(6)


def test_a_larger_key_of_a_family_is_never_weaker() -> None:
    for stem in ("RSA_", "ECC_NIST_P", "HMAC_", "ML_DSA_", "ML_KEM_"):
        sizes = sorted((int(name.removeprefix(stem)), name) for name in KEY_SPECS if name.startswith(stem))
        strengths = [strength_of(name) for _, name in sizes]
        assert strengths == sorted(strengths, key=lambda each: each or (0, 0))


def test_a_spec_of_the_future_is_not_known() -> None:
    assert strength_of("SLH_DSA_128S") is None
    assert family_of("SLH_DSA_128S") is None
