"""What people paste instead of a policy."""

from __future__ import annotations

from kms_tui.policy.rules.rule import (
    ALLOW,
    CLI,
    DECRYPT,
    GRAMMAR,
    PUT,
    REFUSE,
    ROOT,
    R,
    Rule,
    one,
    whole,
)

RULES = (
    Rule(
        "pasted-answer",
        REFUSE,
        "This is the answer of aws kms get-key-policy, with the policy inside.",
        "PutKeyPolicy takes the policy alone.",
        CLI,
        '{"Policy":"{\\"Version\\":\\"2012-10-17\\",\\"Statement\\":[]}","PolicyName":"default"}',
    ),
    Rule(
        "pasted-string",
        REFUSE,
        "This is a policy as an escaped JSON string.",
        "PutKeyPolicy takes the policy without the quotes and backslashes.",
        CLI,
        '"{\\"Version\\":\\"2012-10-17\\",\\"Statement\\":[]}"',
    ),
    Rule(
        "pasted-wrapper",
        REFUSE,
        "The policy is inside another element.",
        "Templates and tools put a policy under KeyPolicy, Policy or PolicyDocument.",
        "CloudFormation user guide, AWS::KMS::Key",
        f'{{"KeyPolicy":{whole(ROOT)}}}',
    ),
    Rule(
        "lone-statement",
        REFUSE,
        "This is a statement without a policy around it.",
        "A policy has Version and Statement; the guides often show one statement.",
        GRAMMAR,
        "[" + ROOT + "]",
    ),
    Rule(
        "two-documents",
        REFUSE,
        "These are two JSON documents.",
        "A key has one policy, named default.",
        PUT,
        whole(ROOT) + "\n" + whole(ROOT),
    ),
    Rule(
        "template",
        REFUSE,
        "This is a template, not the policy that comes out of it.",
        "KMS does not know Fn::Join, Fn::Sub, Ref or the ${…} of other tools.",
        "CloudFormation user guide, intrinsic-function-reference-sub",
        one(ALLOW, '"Principal":{"AWS":"arn:aws:iam::${AWS::AccountId}:role/app"}', DECRYPT, R),
    ),
    Rule("yaml", REFUSE, "This is YAML.", "KMS takes JSON only.", GRAMMAR, "Version: '2012-10-17'"),
)
