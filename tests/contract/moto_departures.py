"""Where moto's KMS departs from AWS: each entry is strict, so a moto that comes closer fails it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Departure:
    """What moto does, the source that says what AWS does, and the tests that show it.

    A test is named by its function, or by its function and variant: ``test_x[RSA_2048]``.
    """

    reason: str
    source: str
    tests: tuple[str, ...]


DEPARTURES: tuple[Departure, ...] = (
    Departure(
        "ML-DSA, ML-KEM and Ed25519 keys cannot be made",
        "the service model: enum KeySpec",
        (
            "test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[ECC_NIST_EDWARDS25519-SIGN_VERIFY]",
            "test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[ML_DSA_44-SIGN_VERIFY]",
            "test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[ML_DSA_65-SIGN_VERIFY]",
            "test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[ML_DSA_87-SIGN_VERIFY]",
            "test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[ML_KEM_1024-ENCAPSULATE_DECAPSULATE]",
            "test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[ML_KEM_768-ENCAPSULATE_DECAPSULATE]",
            "test_only_symmetric_keys_name_their_material[ECC_NIST_EDWARDS25519-SIGN_VERIFY]",
            "test_only_symmetric_keys_name_their_material[ML_DSA_44-SIGN_VERIFY]",
            "test_only_symmetric_keys_name_their_material[ML_DSA_65-SIGN_VERIFY]",
            "test_only_symmetric_keys_name_their_material[ML_DSA_87-SIGN_VERIFY]",
            "test_only_symmetric_keys_name_their_material[ML_KEM_1024-ENCAPSULATE_DECAPSULATE]",
            "test_only_symmetric_keys_name_their_material[ML_KEM_768-ENCAPSULATE_DECAPSULATE]",
        ),
    ),
    Departure(
        "KeyUsage, MultiRegion, and the algorithms of HMAC and key agreement keys are missing or wrong",
        "the service model: KeyMetadata",
        (
            "test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[ECC_NIST_P256-KEY_AGREEMENT]",
            "test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[ECC_NIST_P384-KEY_AGREEMENT]",
            "test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[ECC_NIST_P521-KEY_AGREEMENT]",
            "test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[HMAC_224-GENERATE_VERIFY_MAC]",
            "test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[HMAC_256-GENERATE_VERIFY_MAC]",
            "test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[HMAC_384-GENERATE_VERIFY_MAC]",
            "test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[HMAC_512-GENERATE_VERIFY_MAC]",
            "test_a_new_key_is_of_one_region",
            "test_a_new_key_tells_its_spec_and_usage",
        ),
    ),
    Departure(
        "key material has no id",
        "the service model: KeyMaterialId, CurrentKeyMaterialId",
        (
            "test_a_key_for_imported_material_has_no_rotation_status",
            "test_a_symmetric_key_names_its_current_material",
            "test_decrypt_names_the_material",
            "test_old_ciphertext_opens_after_rotation_with_its_own_material",
            "test_only_symmetric_keys_name_their_material[SYMMETRIC_DEFAULT-ENCRYPT_DECRYPT]",
            "test_rotating_on_demand_makes_new_material",
            "test_the_whole_history_has_the_first_material_without_a_date",
        ),
    ),
    Departure(
        "no usage is ever judged incompatible with a spec, or required",
        "recorded answers of AWS",
        (
            "test_a_usage_that_the_spec_cannot_have_is_refused",
            "test_every_spec_but_the_symmetric_needs_a_usage",
        ),
    ),
    Departure(
        "validation errors name members with capitals",
        "recorded answers of AWS: camelCase",
        ("test_a_value_outside_its_enum_is_refused_with_the_values_there_are",),
    ),
    Departure(
        "lengths, ranges and enums of requests are not checked",
        "the service model: min, max, enum of the shapes",
        (
            "test_a_ciphertext_of_the_wrong_size_is_refused",
            "test_a_description_of_8192_characters_is_the_longest",
            "test_a_period_outside_90_to_2560_days_is_refused[2561]",
            "test_an_algorithm_that_does_not_exist_is_refused",
            "test_an_alias_has_letters_digits_and_few_signs[alias/a\\n]",
            "test_an_alias_of_256_characters_is_the_longest",
            "test_any_other_window_is_refused",
            "test_limits_outside_their_range_are_refused[1-ListAliases]",
            "test_limits_outside_their_range_are_refused[1-ListKeyRotations]",
            "test_limits_outside_their_range_are_refused[1-ListKeys]",
            "test_limits_outside_their_range_are_refused[1-ListResourceTags]",
            "test_tags_beyond_those_sizes_are_refused[1-257]",
            "test_tags_beyond_those_sizes_are_refused[129-1]",
        ),
    ),
    Departure(
        "keys that do not exist are worded otherwise",
        "recorded answers of AWS",
        (
            "test_a_text_that_is_no_key_id_is_not_found",
            "test_an_arn_of_another_region_is_not_found",
        ),
    ),
    Departure(
        "an alias is listed without its dates",
        "the service model: AliasListEntry",
        ("test_an_alias_entry_tells_when_it_was_made",),
    ),
    Departure(
        "an alias is taken where only a key id or ARN is",
        "the service model: ListAliases",
        ("test_aliases_of_one_key_are_not_listed_by_alias",),
    ),
    Departure(
        "the missing prefix of an alias is worded otherwise",
        "recorded answers of AWS",
        ("test_an_alias_needs_its_prefix",),
    ),
    Departure(
        "only the alias/aws/ names that exist are reserved, and those can be deleted",
        "the service model: CreateAlias, DeleteAlias",
        (
            "test_names_of_awss_own_are_reserved",
            "test_one_of_awss_own_aliases_cannot_be_deleted",
        ),
    ),
    Departure(
        "a key may have any number of aliases",
        "the service model: CreateAlias (LimitExceededException), developer guide, resource quotas",
        ("test_a_key_has_fifty_aliases_at_most",),
    ),
    Departure(
        "an alias moves to any kind of key",
        "the service model: UpdateAlias",
        ("test_an_alias_stays_with_its_kind_of_key",),
    ),
    Departure(
        "AWS's own aliases point at key ids without keys, and are like any customer's",
        "the service model: DescribeKey, AliasListEntry",
        (
            "test_an_aws_managed_key_cannot_be_changed[DisableKeyRotation]",
            "test_an_aws_managed_key_cannot_be_changed[DisableKey]",
            "test_an_aws_managed_key_cannot_be_changed[ScheduleKeyDeletion]",
            "test_an_aws_managed_key_cannot_be_changed[TagResource]",
            "test_an_aws_managed_key_cannot_be_changed[UpdateKeyDescription]",
            "test_an_aws_managed_key_rotates",
            "test_awss_own_aliases_have_no_key_until_one_is_needed",
            "test_describing_one_of_awss_own_aliases_makes_its_key",
            "test_tags_of_awss_own_are_reserved",
        ),
    ),
    Departure(
        "the algorithm is not in the answer",
        "the service model: EncryptResponse, DecryptResponse",
        ("test_the_answers_name_the_algorithm",),
    ),
    Departure(
        "the encryption context is joined without separators",
        "developer guide, encrypt_context: an exact match of names and values",
        (
            "test_another_context_does_not_open[{'a': ''}-{'': 'a'}]",
            "test_another_context_does_not_open[{'a': 'bc'}-{'ab': 'c'}]",
        ),
    ),
    Departure(
        "a tampered or foreign ciphertext is another error, or has a message",
        "the service model: Decrypt (InvalidCiphertextException); recorded answers of AWS",
        (
            "test_a_tampered_ciphertext_does_not_open[0.0]",
            "test_a_tampered_ciphertext_does_not_open[0.25]",
            "test_what_is_no_ciphertext_does_not_open[200]",
        ),
    ),
    Departure(
        "naming another key opens all the same",
        "the service model: Decrypt (IncorrectKeyException)",
        ("test_naming_another_key_is_an_incorrect_key",),
    ),
    Departure(
        "any key encrypts, and always symmetrically",
        "the service model: Encrypt (InvalidKeyUsageException), developer guide, asymmetric keys",
        (
            "test_a_key_of_another_usage_does_not_encrypt",
            "test_a_symmetric_key_takes_no_rsa_algorithm",
            "test_an_rsa_ciphertext_does_not_open_without_its_key",
            "test_an_rsa_ciphertext_is_as_long_as_its_modulus",
            "test_an_rsa_key_takes_no_symmetric_algorithm",
            "test_another_padding_does_not_open",
            "test_rsa_encrypts_up_to_what_its_padding_leaves",
        ),
    ),
    Departure(
        "lists ignore Limit and Marker, or page wrongly",
        "the service model: Limit, Marker, InvalidMarkerException",
        (
            "test_a_marker_that_no_list_gave_is_refused",
            "test_a_page_has_its_default_size",
            "test_pages_hold_what_was_asked_for_and_miss_nothing",
        ),
    ),
    Departure(
        "the name of a policy must be given",
        "the service model: PutKeyPolicy, GetKeyPolicy: default",
        ("test_the_policys_name_may_be_left_out",),
    ),
    Departure(
        "policies are not parsed, and nobody is locked out",
        "the service model: PutKeyPolicy (MalformedPolicyDocumentException)",
        (
            "test_a_key_is_not_made_with_a_policy_that_is_not_json",
            "test_a_policy_by_which_the_caller_loses_the_key_is_refused",
            "test_a_policy_that_is_not_json_is_refused_and_the_old_one_stays",
        ),
    ),
    Departure(
        "there is no AWS_RAM policy",
        "the service model: PutKeyPolicy",
        ("test_rams_policy_is_rams",),
    ),
    Departure(
        "the rotation status lacks its key, period and dates",
        "the service model: GetKeyRotationStatusResponse",
        (
            "test_rotating_on_demand_leaves_the_schedule_alone",
            "test_the_period_can_be_changed",
            "test_the_period_sets_the_next_date",
            "test_the_status_names_its_key",
        ),
    ),
    Departure(
        "keys that cannot rotate do",
        "the service model: EnableKeyRotation, RotateKeyOnDemand (UnsupportedOperationException)",
        ("test_keys_that_are_not_symmetric_cannot_rotate",),
    ),
    Departure(
        "a key rotates on demand without end",
        "the service model: RotateKeyOnDemand (LimitExceededException)",
        ("test_rotating_on_demand_ends_after_25_times",),
    ),
    Departure(
        "EnableKey and DisableKey fail on an ARN",
        "the service model: EnableKey: KeyId",
        ("test_a_disabled_key_says_so_and_can_be_enabled_again",),
    ),
    Departure(
        "the answers about a deletion lack the ARN, the state and the window",
        "the service model: ScheduleKeyDeletionResponse, CancelKeyDeletionResponse",
        (
            "test_cancelling_a_deletion_answers_the_arn",
            "test_scheduling_a_deletion_answers_the_arn_the_state_and_the_window",
        ),
    ),
    Departure(
        "key states refuse nothing, or something else",
        "developer guide, key-state",
        (
            "test_a_ciphertext_of_a_disabled_key_waits_until_the_key_is_enabled",
            "test_a_ciphertext_of_a_key_pending_deletion_is_refused",
            "test_a_deletion_that_is_not_scheduled_cannot_be_cancelled",
            "test_a_disabled_key_refuses",
            "test_a_key_pending_deletion_does_not_rotate",
            "test_a_key_pending_deletion_refuses",
            "test_no_alias_is_made_for_a_key_pending_deletion",
            "test_the_state_is_judged_before_what_the_key_supports",
        ),
    ),
    Departure(
        "tags are not checked",
        "recorded answers of AWS (TagException)",
        (
            "test_a_key_has_fifty_tags_at_most",
            "test_a_tag_key_is_given_once",
        ),
    ),
)

_BY_TEST = {test: departure for departure in DEPARTURES for test in departure.tests}


def departure_of(function: str, variant: str) -> Departure | None:
    """The departure that a test shows on moto, if any."""
    return _BY_TEST.get(f"{function}[{variant}]") or _BY_TEST.get(function)
