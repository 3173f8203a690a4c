"""THE table of rules: each rule's sentence, why it matters, its source, and an example.

``kms-tui policy rules`` and the editor's ``?`` show it; the guard itself does not use it.
"""

from __future__ import annotations

from collections.abc import Mapping

from kms_tui.policy.rule_guide import access_rules, control_rules, format_rules, statement_rules
from kms_tui.policy.rule_guide.rule import Rule, text_of

__all__ = ["RULES", "Rule", "text_of"]

RULES: Mapping[str, Rule] = {
    rule.id: rule
    for rule in (
        *control_rules.RULES,
        *access_rules.RULES,
        *statement_rules.RULES,
        *format_rules.RULES,
        *format_rules.PASTE_RULES,
    )
}
"""Every rule by its id."""
