"""Processor time of the guard over texts that chance has changed: the mean, and the worst of them.

Run: nice -n 10 python -m tests.bench.bench_policy_fuzz 100000
"""

from __future__ import annotations

import random
import sys
import time

from kms_tui.policy.guard import check
from kms_tui.policy.operators import parse as parse_operator
from tests.unit.policy.build import ACCOUNT, ADMIN, KEY, NOW, cases

MAX_CHANGES = 12
LONGEST = 40_000
"""Characters, beyond what KMS takes."""


def seeds() -> list[str]:
    """The policies of the judged sample and of the guides' cases."""
    return [case["policy"] for name in ("judged_policies.jsonl", "guide_cases.jsonl") for case in cases(name)]


SIGNS = ("*", "?", "${", "}", "${aws:username}", "[", "]", "{", ",", ":", '"', "\\", "\x00")
"""What a person might type."""


def pieces(texts: list[str]) -> list[str]:
    """The names and values of the policies, without their quotes."""
    return sorted({piece for text in texts for piece in text.split('"')[1::2] if 0 < len(piece) < 60})


def changed(text: str, words: list[str], chance: random.Random) -> str:
    """The text with some pieces cut, repeated or put in; mostly so that it stays JSON."""
    if chance.random() < 0.75:
        for _ in range(chance.randint(1, MAX_CHANGES)):
            found = [piece for piece in text.split('"')[1::2] if _sort(piece)]
            if found:
                old = chance.choice(found)
                new = chance.choice([word for word in words if _sort(word) == _sort(old)] or [old])
                text = text.replace(f'"{old}"', f'"{_varied(new, chance)}"', 1)
        if chance.random() < 0.3:
            start = text.find('{"Effect"')
            statement = text[start : text.find("}, {", start) + 1]
            text = text[:start] + f"{statement}, " * chance.randint(1, 100) + text[start:]
        return text[:LONGEST]
    for _ in range(chance.randint(1, MAX_CHANGES)):
        at = chance.randint(0, len(text))
        if chance.random() < 0.5:
            text = text[:at] + text[at + chance.randint(1, 40) :]
        else:
            text = text[:at] + chance.choice((*words, *SIGNS)) * chance.randint(1, 20) + text[at:]
    return text[:LONGEST]


def _sort(piece: str) -> str:
    """What a name or value is, so that another of the sort can stand for it; "" for elements."""
    if parse_operator(piece):
        return "operator"
    if piece.startswith(("kms:", "arn:")):
        return piece[:4]
    if piece.startswith("aws:"):
        return "key"
    return "" if piece.isalpha() or piece.startswith("20") else "value"


def _varied(word: str, chance: random.Random) -> str:
    """The word, or one with a wildcard or a policy variable in it."""
    at = chance.randint(4, max(4, len(word)))
    return word if chance.random() < 0.85 else word[:at] + chance.choice(SIGNS[:5]) + word[at:]


def main(count: int) -> None:
    texts = seeds()
    words = pieces(texts)
    worst, total, verdicts = (0.0, ""), 0.0, dict.fromkeys(("ok", "warn", "refuse"), 0)
    for number in range(count):
        chance = random.Random(number)
        text = changed(chance.choice(texts), words, chance)
        started = time.process_time()
        result = check(text, account_id=ACCOUNT, caller_arn=ADMIN, key_arn=KEY, now=NOW)
        took = (time.process_time() - started) * 1000
        total += took
        verdicts[result.verdict.value] += 1
        if took > worst[0]:
            worst = took, f"seed {number}, {len(text):,} characters"
        if (number + 1) % 10_000 == 0 or number + 1 == count:
            mean, (took, where) = total / (number + 1), worst
            told = f"{number + 1:,} texts: mean {mean:.2f} ms, worst {took:.1f} ms ({where}), {verdicts}"
            print(told, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
