"""The inventory of algorithms as a cryptography bill of materials (CBOM): CycloneDX 1.6 in JSON.

An algorithm, with where it runs, is a component ``kms-algorithm/SPEC/USE/WHERE``; a key is one whose bom-ref
is its ARN, and depends on its algorithm. The serial number is made of what the bill says: it is another one
where a component is, and the same for the same keys whenever they are read.

Source: the CycloneDX 1.6 schema; the KMS developer guide (FIPS 140-3 level 3 of KMS's HSMs, outside of China;
SYMMETRIC_DEFAULT is AES-256-GCM); the curve names of neuromancer.sk/std, as CycloneDX asks for.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.bom_ref import BomRef
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.crypto import (
    AlgorithmProperties,
    CryptoAssetType,
    CryptoCertificationLevel,
    CryptoExecutionEnvironment,
    CryptoFunction,
    CryptoMode,
    CryptoPadding,
    CryptoPrimitive,
    CryptoProperties,
    RelatedCryptoMaterialProperties,
    RelatedCryptoMaterialSecuredBy,
    RelatedCryptoMaterialState,
    RelatedCryptoMaterialType,
)
from cyclonedx.model.dependency import Dependency
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion

from kms_tui import __version__
from kms_tui.evidence.algorithms.algorithm_inventory import AlgorithmInventory
from kms_tui.evidence.algorithms.algorithm_key import AlgorithmKey
from kms_tui.kms.arn import Arn, places_in_words
from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT, Family, spec_title
from kms_tui.kms.model import KeyOrigin, KeyUsage
from kms_tui.visible import visible

_NAMESPACE = uuid.UUID("6f2b3c0e-5c8f-5d0a-9a53-0d6f7e3c1b42")
"""Ours: the serial numbers of bills are made in it."""


class _Where(NamedTuple):
    """Where key material is used, and how that is certified."""

    name: str
    environment: CryptoExecutionEnvironment
    certification: CryptoCertificationLevel
    secured_by: str


_HARDWARE, _NOT_TOLD = CryptoExecutionEnvironment.HARDWARE, CryptoCertificationLevel.UNKNOWN
_KMS = _Where("kms", _HARDWARE, CryptoCertificationLevel.FIPS140_3_L3, "HSM")
_KMS_CHINA = _Where("kms-china", _HARDWARE, _NOT_TOLD, "HSM")
_CLOUD_HSM = _Where("cloudhsm", _HARDWARE, _NOT_TOLD, "HSM")
_EXTERNAL = _Where(
    "external-key-store", CryptoExecutionEnvironment.UNKNOWN, _NOT_TOLD, "external key manager"
)


def _where(key: AlgorithmKey) -> _Where:
    if key.origin == KeyOrigin.EXTERNAL_KEY_STORE:
        return _EXTERNAL
    if key.origin == KeyOrigin.AWS_CLOUDHSM:
        return _CLOUD_HSM
    return _KMS_CHINA if Arn.parse(key.arn).partition == "aws-cn" else _KMS


class _Use(NamedTuple):
    primitive: CryptoPrimitive
    functions: tuple[CryptoFunction, ...]


_ENCRYPTION = CryptoFunction.ENCRYPT, CryptoFunction.DECRYPT
_USES: Mapping[str, _Use] = {
    KeyUsage.ENCRYPT_DECRYPT: _Use(CryptoPrimitive.PKE, _ENCRYPTION),
    KeyUsage.SIGN_VERIFY: _Use(CryptoPrimitive.SIGNATURE, (CryptoFunction.SIGN, CryptoFunction.VERIFY)),
    KeyUsage.GENERATE_VERIFY_MAC: _Use(CryptoPrimitive.MAC, (CryptoFunction.TAG, CryptoFunction.VERIFY)),
    KeyUsage.KEY_AGREEMENT: _Use(CryptoPrimitive.KEY_AGREE, (CryptoFunction.KEYDERIVE,)),
    KeyUsage.ENCAPSULATE_DECAPSULATE: _Use(
        CryptoPrimitive.KEM, (CryptoFunction.ENCAPSULATE, CryptoFunction.DECAPSULATE)
    ),
}
_AES = _Use(CryptoPrimitive.AE, (CryptoFunction.KEYGEN, *_ENCRYPTION))
_UNKNOWN = _Use(CryptoPrimitive.UNKNOWN, (CryptoFunction.UNKNOWN,))


class _Parameters(NamedTuple):
    """``size`` is that of the key in bits; None where KMS tells it nobody."""

    oid: str
    set_identifier: str
    size: int | None = None
    curve: str | None = None


_RSA = "1.2.840.113549.1.1.1"
_NIST = "2.16.840.1.101.3.4"
_PARAMETERS: Mapping[str, _Parameters] = {
    SYMMETRIC_DEFAULT: _Parameters(f"{_NIST}.1.46", "256", 256),
    **{f"RSA_{bits}": _Parameters(_RSA, str(bits), bits) for bits in (2048, 3072, 4096)},
    "ECC_NIST_P256": _Parameters("1.2.840.10045.3.1.7", "P-256", 256, "nist/P-256"),
    "ECC_NIST_P384": _Parameters("1.3.132.0.34", "P-384", 384, "nist/P-384"),
    "ECC_NIST_P521": _Parameters("1.3.132.0.35", "P-521", 521, "nist/P-521"),
    "ECC_SECG_P256K1": _Parameters("1.3.132.0.10", "secp256k1", 256, "secg/secp256k1"),
    "ECC_NIST_EDWARDS25519": _Parameters("1.3.101.112", "Ed25519", 256, "other/Ed25519"),
    "SM2": _Parameters("1.2.156.10197.1.301", "SM2", 256, "oscca/SM2"),
    "HMAC_224": _Parameters("1.2.840.113549.2.8", "224", 224),
    "HMAC_256": _Parameters("1.2.840.113549.2.9", "256", 256),
    "HMAC_384": _Parameters("1.2.840.113549.2.10", "384", 384),
    "HMAC_512": _Parameters("1.2.840.113549.2.11", "512", 512),
    "ML_DSA_44": _Parameters(f"{_NIST}.3.17", "44"),
    "ML_DSA_65": _Parameters(f"{_NIST}.3.18", "65"),
    "ML_DSA_87": _Parameters(f"{_NIST}.3.19", "87"),
    "ML_KEM_512": _Parameters(f"{_NIST}.4.1", "512"),
    "ML_KEM_768": _Parameters(f"{_NIST}.4.2", "768"),
    "ML_KEM_1024": _Parameters(f"{_NIST}.4.3", "1024"),
}
_STATES: Mapping[str, RelatedCryptoMaterialState] = {
    "Creating": RelatedCryptoMaterialState.PRE_ACTIVATION,
    "Enabled": RelatedCryptoMaterialState.ACTIVE,
    "Updating": RelatedCryptoMaterialState.ACTIVE,
    "Disabled": RelatedCryptoMaterialState.SUSPENDED,
    "Unavailable": RelatedCryptoMaterialState.SUSPENDED,
    "PendingImport": RelatedCryptoMaterialState.PRE_ACTIVATION,
    "PendingDeletion": RelatedCryptoMaterialState.DEACTIVATED,
    "PendingReplicaDeletion": RelatedCryptoMaterialState.DEACTIVATED,
}


_PART = 200
"""Keys that the library is given at once: it holds each component against every other."""


def cbom(inventory: AlgorithmInventory) -> str:
    """The bill as JSON, with a final line end; escaped to ASCII, so safe in a terminal."""
    shape = _rendered(_head(inventory))
    components: dict[str, Any] = {}
    dependencies: dict[str, Any] = {}
    keys = [key for group in inventory.groups for key in group.keys]
    for start in range(0, len(keys), _PART):
        part = _rendered(_bill(keys[start : start + _PART]))
        components |= {each["bom-ref"]: each for each in part["components"]}
        dependencies |= {each["ref"]: each for each in part["dependencies"]}
    account = shape["metadata"]["component"]["bom-ref"]
    dependencies[account] = {"ref": account, "dependsOn": sorted(components)}
    shape["components"] = [components[ref] for ref in sorted(components)]
    shape["dependencies"] = [dependencies[ref] for ref in sorted(dependencies)]
    return json.dumps(_numbered(shape), indent=2) + "\n"


def _rendered(bom: Bom) -> dict[str, Any]:
    text = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string()
    shape: dict[str, Any] = json.loads(text)
    return shape


def _head(inventory: AlgorithmInventory) -> Bom:
    """The bill without its components."""
    bom = Bom()
    bom.metadata.timestamp = inventory.time
    bom.metadata.component = _account(inventory)
    bom.metadata.tools.components.add(
        Component(name="kms-tui", version=__version__, type=ComponentType.APPLICATION, bom_ref="kms-tui")
    )
    bom.metadata.properties.update(
        Property(name="kms-tui:not-known", value=visible(gap)) for gap in inventory.gaps()
    )
    return bom


def _bill(keys: Sequence[AlgorithmKey]) -> Bom:
    """Some keys with their algorithms."""
    bom = Bom()
    algorithms: dict[str, Component] = {}
    for key in keys:
        ref = _algorithm_ref(key)
        if ref not in algorithms:
            algorithms[ref] = _algorithm(key, ref)
            bom.components.add(algorithms[ref])
        component = _key(key, algorithms[ref].bom_ref)
        bom.components.add(component)
        bom.dependencies.add(Dependency(component.bom_ref, [Dependency(algorithms[ref].bom_ref)]))
    return bom


def _numbered(shape: dict[str, Any]) -> dict[str, Any]:
    """The bill with its serial number, which is made of all that it says but its time."""
    said = {**shape, "metadata": {**shape["metadata"], "timestamp": ""}, "serialNumber": ""}
    return {**shape, "serialNumber": uuid.uuid5(_NAMESPACE, json.dumps(said, sort_keys=True)).urn}


def _account(inventory: AlgorithmInventory) -> Component:
    name = f"AWS KMS, {places_in_words(inventory.places)}"
    each = ", ".join(map(str, inventory.places))
    return Component(name=name, type=ComponentType.PLATFORM, bom_ref=f"aws-kms/{each}")


def _algorithm_ref(key: AlgorithmKey) -> str:
    return f"kms-algorithm/{key.spec}/{key.usage}/{_where(key).name}"


def _algorithm(key: AlgorithmKey, ref: str) -> Component:
    parameters, strength, where = _PARAMETERS.get(key.spec), key.strength, _where(key)
    use = _AES if key.spec == SYMMETRIC_DEFAULT else _USES.get(key.usage, _UNKNOWN)
    return Component(
        name="AES-256-GCM" if key.spec == SYMMETRIC_DEFAULT else spec_title(key.spec),
        type=ComponentType.CRYPTOGRAPHIC_ASSET,
        bom_ref=ref,
        crypto_properties=CryptoProperties(
            asset_type=CryptoAssetType.ALGORITHM,
            oid=parameters.oid if parameters else None,
            algorithm_properties=AlgorithmProperties(
                primitive=use.primitive,
                parameter_set_identifier=parameters.set_identifier if parameters else key.spec,
                curve=parameters.curve if parameters else None,
                execution_environment=where.environment,
                certification_levels=[where.certification],
                mode=CryptoMode.GCM if key.spec == SYMMETRIC_DEFAULT else None,
                padding=CryptoPadding.OAEP if use.primitive is CryptoPrimitive.PKE and _is_rsa(key) else None,
                crypto_functions=use.functions,
                classical_security_level=strength.bits if strength else None,
                nist_quantum_security_level=strength.quantum_category if strength else None,
            ),
        ),
    )


def _is_rsa(key: AlgorithmKey) -> bool:
    return key.family is Family.RSA


def _key(key: AlgorithmKey, algorithm: BomRef) -> Component:
    parameters = _PARAMETERS.get(key.spec)
    secret = key.family in (Family.SYMMETRIC, Family.HMAC)
    kind = RelatedCryptoMaterialType.SECRET_KEY if secret else RelatedCryptoMaterialType.PRIVATE_KEY
    return Component(
        name=visible(key.name),
        type=ComponentType.CRYPTOGRAPHIC_ASSET,
        bom_ref=key.arn,
        description=visible(key.description) or None,
        crypto_properties=CryptoProperties(
            asset_type=CryptoAssetType.RELATED_CRYPTO_MATERIAL,
            related_crypto_material_properties=RelatedCryptoMaterialProperties(
                type=RelatedCryptoMaterialType.UNKNOWN if key.family is None else kind,
                id=key.key_id,
                state=_STATES.get(key.state),
                algorithm_ref=algorithm,
                creation_date=key.created,
                expiration_date=key.expires,
                size=parameters.size if parameters else None,
                secured_by=RelatedCryptoMaterialSecuredBy(
                    mechanism=_where(key).secured_by, algorithm_ref=None
                ),
            ),
        ),
        properties=[Property(name=f"aws:kms:{name}", value=visible(value)) for name, value in _facts(key)],
    )


def _facts(key: AlgorithmKey) -> Iterator[tuple[str, str]]:
    yield from key.place._asdict().items()
    yield "manager", "AWS" if key.aws_managed else "CUSTOMER"
    yield "key-state", key.state
    yield "key-usage", key.usage
    yield "origin", key.origin
    for alias in key.aliases:
        yield "alias", alias
    if key.multi_region is not None:
        yield "multi-region", "primary" if key.multi_region.is_primary else "replica"
