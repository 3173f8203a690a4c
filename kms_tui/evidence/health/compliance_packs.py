"""THE table of compliance packs: which controls of a standard our checks judge.

The mapping is Security Hub's, not ours: each control for KMS keys lists its "Related requirements" (Security
Hub user guide, kms-controls, as of 2026-11), and a check has the control that it corresponds to
(``checks.py``). The controls of the AWS FSBP standard: fsbp-standard in the same guide, which has KMS.1,
KMS.2, KMS.3 and KMS.5. CIS 4.7: cloudwatch-controls, CloudWatch.7. Titles: those of the standards, shortened.

KMS.1 and KMS.2 are about IAM policies, which the health checks do not read: a requirement that only they
decide is not assessed. How each control stands: ``control_results.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kms_tui.evidence.health.checks import CHECKS, Check


@dataclass(frozen=True, slots=True)
class PackControl:
    """A control of a standard. ``security_hub`` are the controls of Security Hub that map to it.

    ``related`` are the requirements as Security Hub writes them; ``unassessed`` says why nothing here judges
    it, or "".
    """

    id: str
    title: str
    security_hub: tuple[str, ...]
    unassessed: str = ""
    related: tuple[str, ...] = ()

    @property
    def checks(self) -> tuple[Check, ...]:
        """Our checks that judge it."""
        return tuple(check for check in CHECKS if check.control and check.control.id in self.security_hub)


@dataclass(frozen=True, slots=True)
class Pack:
    """The controls of one standard that concern KMS keys. ``tag`` names it in a tag of SARIF."""

    id: str
    title: str
    tag: str
    controls: tuple[PackControl, ...]


_IAM = "It is about IAM policies, which the health checks do not read."
_ALARM = "It is about a metric filter and an alarm in CloudWatch, which the health checks do not read."
_OF_IAM = ("KMS.1", "KMS.2")
_CIS = "CIS AWS Foundations Benchmark"


def _nist(control: str, title: str, *security_hub: str) -> PackControl:
    unassessed = "" if security_hub else _IAM
    return PackControl(control, title, security_hub or _OF_IAM, unassessed, (f"NIST.800-53.r5 {control}",))


PACKS: Mapping[str, Pack] = {
    pack.id: pack
    for pack in (
        Pack(
            "cis",
            "CIS AWS Foundations Benchmark v5.0.0, v3.0.0 and v1.4.0",
            "CIS-AWS",
            (
                PackControl(
                    "3.6",
                    "Rotation of customer-created symmetric keys is enabled (v1.4.0: 3.8)",
                    ("KMS.4",),
                    related=(f"{_CIS} v5.0.0/3.6", f"{_CIS} v3.0.0/3.6", f"{_CIS} v1.4.0/3.8"),
                ),
                PackControl(
                    "4.7",
                    "Disabling and scheduled deletion of customer managed keys raise an alarm (v1.4.0)",
                    ("CloudWatch.7",),
                    _ALARM,
                    (f"{_CIS} v1.4.0/4.7",),
                ),
            ),
        ),
        Pack(
            "pci",
            "PCI DSS v4.0.1",
            "PCI-DSS",
            (
                PackControl(
                    "3.7.4",
                    "Keys at the end of their cryptoperiod are changed (v3.2.1: 3.6.4)",
                    ("KMS.4",),
                    related=("PCI DSS v4.0.1/3.7.4", "PCI DSS v3.2.1/3.6.4"),
                ),
            ),
        ),
        Pack(
            "nist",
            "NIST SP 800-53 Rev. 5",
            "NIST-800-53",
            (
                _nist("AC-2", "Account management"),
                _nist("AC-2(1)", "Automated system account management"),
                _nist("AC-3", "Access enforcement"),
                _nist("AC-3(7)", "Role-based access control"),
                _nist("AC-3(15)", "Discretionary and mandatory access control"),
                _nist("AC-5", "Separation of duties"),
                _nist("AC-6", "Least privilege"),
                _nist("AC-6(3)", "Network access to privileged commands"),
                _nist("SC-12", "Cryptographic key establishment and management", "KMS.3", "KMS.4"),
                _nist("SC-12(2)", "Symmetric keys", "KMS.3", "KMS.4"),
                _nist("SC-28(3)", "Cryptographic keys for information at rest", "KMS.4"),
            ),
        ),
        Pack(
            "fsbp",
            "AWS Foundational Security Best Practices v1.0.0",
            "AWS-FSBP",
            (
                PackControl(
                    "KMS.1",
                    "IAM customer managed policies should not allow decryption on all KMS keys",
                    ("KMS.1",),
                    _IAM,
                ),
                PackControl(
                    "KMS.2",
                    "IAM principals should not have inline policies that allow decryption on all KMS keys",
                    ("KMS.2",),
                    _IAM,
                ),
                PackControl("KMS.3", "AWS KMS keys should not be deleted unintentionally", ("KMS.3",)),
                PackControl("KMS.5", "KMS keys should not be publicly accessible", ("KMS.5",)),
            ),
        ),
    )
}
"""Pack by the word that asks for it."""


def tags_of(check: Check, packs: tuple[Pack, ...]) -> tuple[str, ...]:
    """The controls that a check judges, as tags: "CIS-AWS/3.6"."""
    return tuple(
        f"{pack.tag}/{control.id}" for pack in packs for control in pack.controls if check in control.checks
    )
