"""Reads the seeding files of local-kms (nsmithuk/local-kms) as they are, in both of their forms.

Source: its README ("Seeding file format") and, for ``Version: 2``, its seeder. What such a file says and no
seed of ours has is told in a note each; what would make another key than there is a problem.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kms_tui.backend.local.store.key_material import SECRET_SIZES
from kms_tui.kms.arn import key_id_of
from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT
from kms_tui.seed.fixed_material import MaterialError, given_bytes, spec_of_pem
from kms_tui.seed.seed_document import MemberPath, SeedDocument, SeedError, alike, ended

ACCOUNT, REGION = "111122223333", "eu-west-2"
"""Its KMS_ACCOUNT_ID and KMS_REGION, where the environment gives no others."""
_PERIOD = 365
"""Days between two of its rotations."""
_METADATA = {
    "KeyId": "id",
    "Description": "description",
    "KeyUsage": "usage",
    "KeySpec": "spec",
    "CustomerMasterKeySpec": "spec",
    "Origin": "origin",
    "MultiRegion": "multi_region",
    "AWSAccountId": "account",
    "KeyState": "state",
}
"""Its member of Metadata -> ours."""
_FAMILIES: Mapping[str, tuple[str, ...]] = {"Symmetric": ("Aes", "Hmac"), "Asymmetric": ("Rsa", "Ecc")}
_VERSION = 2
_BACKING_KEYS, _PEM, _NEXT = "BackingKeys", "PrivateKeyPem", "NextKeyRotation"


def is_local_kms(data: object) -> bool:
    """Whether it is of local-kms, by the names of its members."""
    return isinstance(data, Mapping) and not {"Keys", "Aliases"}.isdisjoint(data)


def from_local_kms(
    document: SeedDocument, account: str = "", region: str = ""
) -> tuple[SeedDocument, tuple[str, ...]]:
    """The same in our form, and notes on what is left out. Raises SeedError.

    ``account`` and ``region`` are those that the environment of local-kms would give.
    """
    conversion = _Conversion(document)
    data = {"account": account or ACCOUNT, "region": region or REGION, "keys": conversion.keys()}
    if conversion.problems:
        raise SeedError(conversion.problems)
    converted = SeedDocument(document.name, data, document.lines, document.folder, conversion.origins)
    return converted, tuple(conversion.notes)


class _Conversion:
    """Builds our form of one file, and remembers where each member comes from."""

    def __init__(self, document: SeedDocument) -> None:
        self._document = document
        self._keys: list[dict[str, Any]] = []
        self.origins: dict[MemberPath, MemberPath] = {}
        self.problems: list[str] = []
        self.notes: list[str] = []

    def keys(self) -> list[dict[str, Any]]:
        data = self._document.data
        for name in data:
            if name not in ("Keys", "Aliases", "Version"):
                self._note((name,), f"is not read{alike(name, ('Keys', 'Aliases'))}")
        version = data.get("Version", 1)
        if version not in (1, _VERSION):
            self._problem(("Version",), "is not known: local-kms has 1 and 2")
        for family, path, entry in self._entries(data.get("Keys")):
            self._key(family, path, entry)
        self._aliases(data.get("Aliases"))
        return self._keys

    def _problem(self, path: MemberPath, sentence: str) -> None:
        self.problems.append(ended(f"{self._document.place(path)} {sentence}"))

    def _note(self, path: MemberPath, sentence: str) -> None:
        self.notes.append(ended(f"{self._document.place(path)} {sentence}"))

    def _entries(self, keys: object) -> Iterator[tuple[str, MemberPath, Mapping[str, Any]]]:
        """The keys of the file, each with its family ("Aes"), or "" in the form of version 2."""
        if isinstance(keys, list):
            for inner, entry in self._objects(keys, ("Keys",)):
                yield "", inner, entry
            return
        for group, families in self._object(keys, ("Keys",)).items():
            if group not in _FAMILIES:
                self._problem(("Keys", group), f"is no kind of keys{alike(group, _FAMILIES)}")
                continue
            for family, entries in self._object(families, ("Keys", group)).items():
                path: MemberPath = ("Keys", group, family)
                if family not in _FAMILIES[group]:
                    self._problem(path, f"is no kind of keys{alike(family, _FAMILIES[group])}")
                    continue
                for inner, entry in self._objects(entries, path):
                    yield family, inner, entry

    def _object(self, value: object, path: MemberPath) -> Mapping[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self._problem(path, "is no object")
            return {}
        return value

    def _objects(self, value: object, path: MemberPath) -> Iterator[tuple[MemberPath, Mapping[str, Any]]]:
        for number, each in enumerate(self._list(value, path)):
            yield (*path, number), self._object(each, (*path, number))

    def _list(self, value: object, path: MemberPath) -> list[Any]:
        if value is None:
            return []
        if not isinstance(value, list):
            self._problem(path, "is no list")
            return []
        return value

    # Keys

    def _key(self, family: str, path: MemberPath, entry: Mapping[str, Any]) -> None:
        ours: MemberPath = ("keys", len(self._keys))
        key: dict[str, Any] = {}
        self._keys.append(key)
        self.origins[ours] = path
        if family:
            known: tuple[str, ...] = ("Metadata", _BACKING_KEYS, _PEM, _NEXT)
            material, material_path = entry, path
        else:
            known = ("KeyId", "Metadata", "Material", _NEXT)
            material_path = (*path, "Material")
            material = self._object(entry.get("Material"), material_path)
            self._unknown(material, material_path, (_BACKING_KEYS, _PEM))
        self._unknown(entry, path, known)
        if "KeyId" in entry and not family:
            self._take(key, ours, "id", entry["KeyId"], (*path, "KeyId"))
        self._metadata(
            key, ours, self._object(entry.get("Metadata"), (*path, "Metadata")), (*path, "Metadata")
        )
        if family == "Ecc":
            key.setdefault("usage", "SIGN_VERIFY")
        if _PEM in material:
            self._pair(key, ours, material[_PEM], (*material_path, _PEM))
        elif family in _FAMILIES["Asymmetric"]:
            self._problem(path, f"lacks the member {_PEM}")
        self._secrets(key, ours, material, material_path, family)
        if _NEXT in entry:
            key["rotation"] = {"period": _PERIOD}
            self._take(key["rotation"], (*ours, "rotation"), "next_at", entry[_NEXT], (*path, _NEXT))

    def _unknown(self, members: Mapping[str, Any], path: MemberPath, known: tuple[str, ...]) -> None:
        for name in members:
            if name.startswith("PrivateKey") and name != _PEM:
                self._problem((*path, name), f"is not read: write {_PEM}")
            elif name not in known:
                self._note((*path, name), f"is not read{alike(name, known)}")

    def _take(
        self, target: dict[str, Any], ours: MemberPath, name: str, value: object, path: MemberPath
    ) -> None:
        target[name] = value
        self.origins[(*ours, name)] = path

    def _metadata(
        self, key: dict[str, Any], ours: MemberPath, members: Mapping[str, Any], path: MemberPath
    ) -> None:
        for name, value in members.items():
            if name == "Enabled" and isinstance(value, bool):
                if not value:
                    key.setdefault("state", "Disabled")
            elif name not in _METADATA:
                self._note((*path, name), f"is not read{alike(name, _METADATA)}")
            elif value is not None and value != "":
                self._take(key, ours, _METADATA[name], value, (*path, name))

    def _pair(self, key: dict[str, Any], ours: MemberPath, pem: object, path: MemberPath) -> None:
        self.origins[(*ours, "fixed_material")] = path
        key["fixed_material"] = {"pem": pem}
        if not isinstance(pem, str):
            self._problem(path, "is no text in PEM")
            return
        try:
            key.setdefault("spec", spec_of_pem(given_bytes("pem", pem, None)))
        except MaterialError as error:
            self._problem(path, str(error))

    def _secrets(
        self,
        key: dict[str, Any],
        ours: MemberPath,
        material: Mapping[str, Any],
        path: MemberPath,
        family: str,
    ) -> None:
        """Backing keys: the first material and those that came with rotations."""
        path = (*path, _BACKING_KEYS)
        given = self._list(material.get(_BACKING_KEYS), path)
        if not given:
            if family == "Hmac" or (family == "Aes" and key.get("origin") != "EXTERNAL"):
                self._problem(path[:-1], f"lacks the member {_BACKING_KEYS}")
            return
        if family == "Hmac" or not family:
            key.setdefault("spec", _spec_of_size(given[0]))
        key["materials"] = [{"fixed": {"hex": each}} for each in given]
        for number in range(len(given)):
            self.origins[(*ours, "materials", number)] = (*path, number)

    # Aliases

    def _aliases(self, aliases: object) -> None:
        by_id = {key["id"]: key for key in self._keys if isinstance(key.get("id"), str)}
        places = {id(key): number for number, key in enumerate(self._keys)}
        for path, entry in self._objects(aliases, ("Aliases",)):
            self._unknown(entry, path, ("AliasName", "TargetKeyId"))
            name, target = entry.get("AliasName"), entry.get("TargetKeyId")
            if not isinstance(name, str) or not isinstance(target, str):
                self._problem(path, "lacks the member AliasName or TargetKeyId, or one of them is no text")
                continue
            key = by_id.get(key_id_of(target))
            if key is None:
                self._problem((*path, "TargetKeyId"), "names no key of this file")
                continue
            names = key.setdefault("aliases", [])
            self.origins[("keys", places[id(key)], "aliases", len(names))] = (*path, "AliasName")
            names.append(name)


def _spec_of_size(digits: object) -> str:
    """The HMAC spec whose keys have as many bytes; 32 bytes are an AES key where nothing says otherwise."""
    size = len(digits) // 2 if isinstance(digits, str) else 0
    return next((spec for spec, bytes_ in SECRET_SIZES.items() if bytes_ == size), SYMMETRIC_DEFAULT)
