"""Key material, random and seeded, and the ids that come with it."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key

from kms_tui.backend.local import LocalBackend, Store, open_store
from kms_tui.backend.local.store.key_material import SECRET_SIZES, SUPPORTED, generate_material, load_material
from kms_tui.backend.local.store.seeded_material import SeededMaterial
from kms_tui.backend.local.store.sources import RandomIds, SeededIds
from kms_tui.kms.arn import is_key_id
from kms_tui.kms.keyspecs import KEY_SPECS
from tests.contract.client import KmsClient
from tests.unit.local.conftest import ACCOUNT, REGION

_QUICK = sorted(SUPPORTED - {"RSA_3072", "RSA_4096"})


def test_all_specs_but_two_can_be_made() -> None:
    assert set(KEY_SPECS) - SUPPORTED == {"SM2", "ML_KEM_512"}


@pytest.mark.parametrize("spec", sorted(SUPPORTED))
def test_random_material_loads_and_differs(spec: str) -> None:
    one, two = generate_material(spec), generate_material(spec)
    assert one != two
    assert load_material(spec, one) is not None


@pytest.mark.parametrize("spec", _QUICK)
def test_seeded_material_repeats_itself_and_differs_by_ids_and_seed(spec: str) -> None:
    made = SeededMaterial("a").make(spec, "key", "material")
    assert SeededMaterial("a").make(spec, "key", "material") == made
    assert SeededMaterial("a").make(spec, "key", "other") != made
    assert SeededMaterial("b").make(spec, "key", "material") != made
    if spec not in SECRET_SIZES:
        # With all of the library's checks, such as that the RSA factors are primes.
        load_der_private_key(made, None)


def test_seeded_rsa_keys_have_the_size_they_should() -> None:
    key = load_material("RSA_2048", SeededMaterial("a").make("RSA_2048", "key", "material"))
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.key_size == 2048


@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "ECC_NIST_P521"])
def test_seeded_elliptic_keys_have_a_full_private_value(spec: str) -> None:
    key = load_material(spec, SeededMaterial("a").make(spec, "key", "material"))
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.private_numbers().private_value.bit_length() > key.key_size - 40


def _lazy_store() -> Store:
    return open_store(ids=SeededIds("s"), material=SeededMaterial("s"))


def test_lazy_material_is_made_on_first_use() -> None:
    with _lazy_store() as store:
        kms = KmsClient(LocalBackend(store, account_id=ACCOUNT, region=REGION))
        key_id = kms.key()
        assert kms.describe(key_id)["CurrentKeyMaterialId"]
        assert store.one("SELECT wrapped FROM materials") == (None,)
        sealed = kms("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
        assert store.one("SELECT wrapped IS NULL FROM materials") == (0,)
        assert kms("Decrypt", CiphertextBlob=sealed)["Plaintext"] == b"x"


def test_a_seeded_account_opens_what_its_twin_sealed() -> None:
    with _lazy_store() as one, _lazy_store() as two:
        clients = [KmsClient(LocalBackend(s, account_id=ACCOUNT, region=REGION)) for s in (one, two)]
        first, second = (kms.key() for kms in clients)
        assert first == second
        sealed = clients[0]("Encrypt", KeyId=first, Plaintext=b"x")["CiphertextBlob"]
        assert clients[1]("Decrypt", CiphertextBlob=sealed)["Plaintext"] == b"x"


@pytest.mark.parametrize("ids", [RandomIds(), SeededIds("x")])
def test_ids_have_awss_forms(ids: RandomIds | SeededIds) -> None:
    assert is_key_id(ids.key_id())
    assert is_key_id(ids.multi_region_key_id())
    assert len(bytes.fromhex(ids.material_id())) == 32
    assert len(ids.hex(7)) == 7
    assert ids.event_id() != ids.event_id()


def test_seeded_key_ids_do_not_depend_on_other_ids() -> None:
    one, two = SeededIds("x"), SeededIds("x")
    two.event_id()
    two.material_id()
    assert one.key_id() == two.key_id()
