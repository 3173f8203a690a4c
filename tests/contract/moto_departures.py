"""Where moto's KMS departs from AWS: each entry is strict, so a moto that comes closer fails it.

``python -m tests.contract.moto_departures`` counts them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Departure:
    """What moto does, the source that says what AWS does, and the tests that show it.

    A test is named by module and function, and by variant where others pass: ``test_a::test_b[RSA_2048]``.
    """

    reason: str
    source: str
    tests: tuple[str, ...]


DEPARTURES: tuple[Departure, ...] = (
    Departure(
        "there is no ImportKeyMaterial and no DeleteImportedKeyMaterial",
        "the service model: ImportKeyMaterial, GetParametersForImport, DeleteImportedKeyMaterial",
        (
            "test_imports::test_a_key_for_imported_material_waits_for_it",
            "test_imports::test_a_key_needs_all_of_its_materials",
            "test_imports::test_a_key_of_another_kind_is_not_imported",
            "test_imports::test_a_key_that_waits_for_material_does_not_encrypt",
            "test_imports::test_a_key_with_kmss_own_material_takes_no_other",
            "test_imports::test_a_token_of_another_key_is_refused",
            "test_imports::test_a_token_that_is_none_is_refused",
            "test_imports::test_an_expiry_is_ahead_and_within_a_year",
            "test_imports::test_an_import_expires_unless_told_otherwise",
            "test_imports::test_an_imported_elliptic_curve_key_has_its_public_key",
            "test_imports::test_an_imported_hmac_key_makes_the_macs_of_its_bytes",
            "test_imports::test_an_imported_key_does_not_rotate_without_new_material",
            "test_imports::test_an_imported_key_rotates_to_the_material_that_waits",
            "test_imports::test_an_imported_rsa_key_has_its_public_key",
            "test_imports::test_deleted_material_can_come_back_and_opens_what_it_sealed",
            "test_imports::test_deleting_material_leaves_a_key_pending_deletion",
            "test_imports::test_imported_material_enables_the_key",
            "test_imports::test_material_of_kmss_own_cannot_be_deleted",
            "test_imports::test_material_of_the_wrong_size_is_refused",
            "test_imports::test_material_that_does_not_expire_has_no_expiry",
            "test_imports::test_material_wrapped_for_another_key_is_refused",
            "test_imports::test_one_material_waits_at_a_time",
            "test_imports::test_other_material_does_not_come_back_in_its_place",
            "test_imports::test_the_id_of_material_follows_from_the_key_and_the_bytes",
            "test_imports::test_the_old_padding_is_refused",
            "test_imports::test_the_parameters_hold_a_wrapping_key_for_a_day",
        ),
    ),
    Departure(
        "there are no custom key stores",
        "the service model: CreateCustomKeyStore",
        (
            "test_custom_key_stores::test_a_connected_store_holds_keys",
            "test_custom_key_stores::test_a_connected_store_is_not_deleted",
            "test_custom_key_stores::test_a_disconnected_store_takes_no_keys",
            "test_custom_key_stores::test_a_key_of_a_disconnected_store_is_unavailable",
            "test_custom_key_stores::test_a_key_of_a_store_does_not_rotate",
            "test_custom_key_stores::test_a_new_store_is_disconnected",
            "test_custom_key_stores::test_a_store_can_be_renamed",
            "test_custom_key_stores::test_a_store_is_found_by_its_name",
            "test_custom_key_stores::test_a_store_that_does_not_exist_is_not_found",
            "test_custom_key_stores::test_a_store_with_keys_is_not_deleted",
            "test_custom_key_stores::test_a_stores_name_is_taken_once",
            "test_custom_key_stores::test_an_empty_disconnected_store_is_deleted",
            "test_custom_key_stores::test_an_external_store_needs_its_proxy",
            "test_custom_key_stores::test_no_secret_of_a_store_is_shown",
            "test_custom_key_stores::test_stores_are_paged",
        ),
    ),
    Departure(
        "Recipient is ignored",
        "the service model: RecipientInfo, CiphertextForRecipient",
        (
            "test_recipients::test_a_data_key_comes_for_the_recipient_alone",
            "test_recipients::test_a_plaintext_comes_for_the_recipient_alone",
            "test_recipients::test_a_shared_secret_comes_for_the_recipient_alone",
            "test_recipients::test_random_bytes_come_for_the_recipient_alone",
            "test_recipients::test_what_is_no_attestation_document_is_refused",
        ),
    ),
    Departure(
        "there is no DryRun",
        "the service model: DryRunOperationException",
        (
            "test_dry_run::test_permission_to_decrypt_can_be_tried_without_a_ciphertext",
            "test_dry_run::test_what_would_fail_fails_as_without_the_option",
            "test_dry_run::test_what_would_succeed_says_so_and_is_not_done",
            "test_grants::test_a_grant_can_be_tried_without_being_made",
            "test_grants::test_ending_a_grant_can_be_tried_without_ending_it",
        ),
    ),
    Departure(
        "there is no GetKeyLastUsage",
        "the service model: GetKeyLastUsage",
        (
            "test_last_usage::test_a_key_that_was_never_used_has_an_empty_last_usage",
            "test_last_usage::test_the_last_usage_is_not_told_by_alias",
            "test_last_usage::test_tracking_starts_with_the_key",
        ),
    ),
    Departure(
        "there is no DeriveSharedSecret, Encapsulate or Decapsulate",
        "the service model: DeriveSharedSecret, Encapsulate, Decapsulate",
        (
            "test_shared_secrets::test_a_key_of_another_usage_does_not_encapsulate",
            "test_shared_secrets::test_a_public_key_that_does_not_fit_is_refused",
            "test_shared_secrets::test_a_secret_encapsulated_outside_is_recovered",
            "test_shared_secrets::test_a_signing_key_derives_no_secret",
            "test_shared_secrets::test_a_tampered_encapsulation_yields_another_secret",
            "test_shared_secrets::test_an_encapsulated_secret_is_recovered",
            "test_shared_secrets::test_an_encapsulation_of_the_wrong_length_is_refused",
            "test_shared_secrets::test_both_sides_derive_the_same_secret",
            "test_shared_secrets::test_two_keys_of_kms_derive_the_same_secret",
        ),
    ),
    Departure(
        "there is no ML-DSA and no Ed25519",
        "the service model: SigningAlgorithmSpec",
        (
            "test_signatures::test_a_digest_is_signed_and_verified_by_ed25519ph",
            "test_signatures::test_a_message_is_signed_and_verified[ECC_NIST_EDWARDS25519-ED25519_SHA_512]",
            "test_signatures::test_a_message_is_signed_and_verified[ML_DSA_44-ML_DSA_SHAKE_256]",
            "test_signatures::test_a_message_is_signed_and_verified[ML_DSA_65-ML_DSA_SHAKE_256]",
            "test_signatures::test_a_message_is_signed_and_verified[ML_DSA_87-ML_DSA_SHAKE_256]",
            "test_signatures::test_a_signature_verifies_outside_of_kms[ECC_NIST_EDWARDS25519-ED25519_SHA_512]",
            "test_signatures::test_an_external_mu_is_signed_as_its_message_is",
            "test_signatures::test_an_external_mu_of_another_length_is_refused",
            "test_signatures::test_ed25519_signatures_are_deterministic_and_64_bytes",
            "test_signatures::test_ed25519_takes_no_digest",
            "test_signatures::test_ed25519ph_takes_a_digest_of_64_bytes_only",
            "test_signatures::test_ml_dsa_signatures_have_their_length",
        ),
    ),
    Departure(
        "a digest is signed as if it were a message",
        "the service model: Sign: MessageType",
        (
            "test_signatures::test_a_digest_is_signed_as_its_message_is",
            "test_signatures::test_a_digest_of_the_wrong_length_is_refused",
            "test_signatures::test_a_digest_signed_by_kms_verifies_as_prehashed",
        ),
    ),
    Departure(
        "the salt of an RSASSA-PSS signature is as long as it can be",
        "developer guide, symm-asymm-choose-key-spec: as long as the digest",
        (
            "test_signatures::test_a_signature_verifies_outside_of_kms[RSA_2048-RSASSA_PSS_SHA_256]",
            "test_signatures::test_a_signature_verifies_outside_of_kms[RSA_2048-RSASSA_PSS_SHA_384]",
            "test_signatures::test_a_signature_verifies_outside_of_kms[RSA_2048-RSASSA_PSS_SHA_512]",
        ),
    ),
    Departure(
        "a bad signature or MAC is false or another error",
        "the service model: KMSInvalidSignatureException, KMSInvalidMacException",
        (
            "test_signatures::test_a_bad_signature_is_an_error_and_never_a_false",
            "test_signatures::test_a_signature_of_another_key_is_bad",
        ),
    ),
    Departure(
        "an algorithm that does not fit the key is another error",
        "the service model: InvalidKeyUsageException",
        (
            "test_macs::test_an_algorithm_of_another_spec_is_refused",
            "test_signatures::test_an_algorithm_of_another_spec_is_refused",
        ),
    ),
    Departure(
        "a key of another usage signs, or is refused otherwise",
        "the service model: InvalidKeyUsageException",
        (
            "test_data_keys::test_only_symmetric_keys_make_data_keys",
            "test_macs::test_a_key_of_another_usage_makes_no_mac",
            "test_signatures::test_a_key_of_another_usage_does_not_sign",
        ),
    ),
    Departure(
        "a public key lacks its ARN, spec or algorithms, or is asked of keys without one",
        "the service model: GetPublicKey",
        (
            "test_signatures::test_a_key_without_a_public_key_says_so",
            "test_signatures::test_a_public_key_can_be_downloaded_and_loaded",
            "test_signatures::test_a_public_key_encrypts_outside_what_kms_decrypts",
            "test_tokens::test_a_token_is_good_elsewhere_and_here",
        ),
    ),
    Departure(
        "MACs name the key as it was asked for",
        "developer guide, API_GenerateMac: the key ARN",
        ("test_macs::test_the_answers_name_the_key",),
    ),
    Departure(
        "there are no data key pairs",
        "the service model: GenerateDataKeyPair",
        (
            "test_data_keys::test_a_data_key_pair_is_one_and_its_ciphertext_opens_to_it",
            "test_data_keys::test_a_data_key_pair_names_the_material_that_sealed_it",
            "test_data_keys::test_a_data_key_pair_of_an_unknown_spec_is_refused",
            "test_data_keys::test_a_data_key_pair_without_plaintext_keeps_its_private_key_sealed",
        ),
    ),
    Departure(
        "ReEncrypt tells neither algorithms nor materials, takes any source key and any destination",
        "the service model: ReEncrypt",
        (
            "test_data_keys::test_a_ciphertext_does_not_move_from_another_key",
            "test_data_keys::test_a_ciphertext_does_not_move_to_a_key_of_another_usage",
            "test_data_keys::test_a_ciphertext_does_not_move_while_a_key_is_disabled",
            "test_data_keys::test_a_ciphertext_moves_from_a_symmetric_key_to_an_rsa_key_and_back",
            "test_data_keys::test_a_ciphertext_moves_to_the_newest_material_of_its_own_key",
            "test_data_keys::test_moving_a_ciphertext_names_the_materials_and_algorithms",
        ),
    ),
    Departure(
        "multi-Region keys have ids of another form, replicas are enabled at once, and nothing else is told",
        "the service model: MultiRegionConfiguration, ReplicateKey, UpdatePrimaryRegion",
        (
            "test_multi_region::test_a_ciphertext_opens_in_every_related_region",
            "test_multi_region::test_a_disabled_primary_is_not_replicated",
            "test_multi_region::test_a_key_of_one_region_is_not_replicated",
            "test_multi_region::test_a_multi_region_key_has_an_id_of_its_own_form",
            "test_multi_region::test_a_primary_with_replicas_waits_for_their_deletion",
            "test_multi_region::test_a_region_has_one_replica",
            "test_multi_region::test_a_replica_does_not_move_the_primary",
            "test_multi_region::test_a_replica_has_policy_tags_and_description_of_its_own",
            "test_multi_region::test_a_replica_is_creating_at_first",
            "test_multi_region::test_a_key_goes_to_regions_of_its_partition_only",
            "test_multi_region::test_a_replica_is_not_replicated",
            "test_multi_region::test_a_replica_takes_the_description_and_tags_given",
            "test_multi_region::test_rotation_is_the_primarys_and_reaches_the_replicas",
            "test_multi_region::test_the_primary_does_not_move_where_there_is_no_replica",
            "test_multi_region::test_the_primary_moves_to_a_replicas_region",
        ),
    ),
    Departure(
        "grants are not checked, lack their issuer, and are never the same",
        "the service model: CreateGrant, GrantListEntry",
        (
            "test_grants::test_a_constraint_has_eight_pairs_of_384_characters_at_most",
            "test_grants::test_a_disabled_key_gets_no_grants",
            "test_grants::test_a_grant_has_an_id_and_a_token",
            "test_grants::test_a_grant_has_one_constraint_on_the_encryption_context",
            "test_grants::test_a_grant_has_one_grantee",
            "test_grants::test_a_grant_of_what_grants_cannot_give_is_refused",
            "test_grants::test_a_grant_of_what_the_key_cannot_do_is_refused",
            "test_grants::test_a_grant_tells_who_made_it_and_when",
            "test_grants::test_a_key_pending_deletion_gets_no_grants_and_can_lose_those_it_has",
            "test_grants::test_a_token_that_names_no_grant_cannot_be_retired",
            "test_grants::test_grants_are_listed_by_id_and_grantee",
            "test_grants::test_the_same_grant_of_one_name_is_made_once",
        ),
    ),
    Departure(
        "ML-DSA, ML-KEM and Ed25519 keys cannot be made",
        "the service model: enum KeySpec",
        (
            "test_keys::test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[ECC_NIST_EDWARDS25519-SIGN_VERIFY]",
            "test_keys::test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[ML_DSA_44-SIGN_VERIFY]",
            "test_keys::test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[ML_DSA_65-SIGN_VERIFY]",
            "test_keys::test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[ML_DSA_87-SIGN_VERIFY]",
            "test_keys::test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[ML_KEM_1024-ENCAPSULATE_DECAPSULATE]",
            "test_keys::test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[ML_KEM_768-ENCAPSULATE_DECAPSULATE]",
            "test_keys::test_only_symmetric_keys_name_their_material[ML_DSA_44-SIGN_VERIFY]",
            "test_keys::test_only_symmetric_keys_name_their_material[ML_KEM_768-ENCAPSULATE_DECAPSULATE]",
        ),
    ),
    Departure(
        "KeyUsage, MultiRegion, and the algorithms of HMAC and key agreement keys are missing or wrong",
        "the service model: KeyMetadata",
        (
            "test_keys::test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[ECC_NIST_P256-KEY_AGREEMENT]",
            "test_keys::test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[ECC_NIST_P384-KEY_AGREEMENT]",
            "test_keys::test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[ECC_NIST_P521-KEY_AGREEMENT]",
            "test_keys::test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[HMAC_224-GENERATE_VERIFY_MAC]",
            "test_keys::test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[HMAC_256-GENERATE_VERIFY_MAC]",
            "test_keys::test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[HMAC_384-GENERATE_VERIFY_MAC]",
            "test_keys::test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms[HMAC_512-GENERATE_VERIFY_MAC]",
            "test_keys::test_a_new_key_is_of_one_region",
            "test_keys::test_a_new_key_tells_its_spec_and_usage",
        ),
    ),
    Departure(
        "key material has no id",
        "the service model: KeyMaterialId, CurrentKeyMaterialId",
        (
            "test_data_keys::test_a_data_key_names_the_material_that_sealed_it",
            "test_encryption::test_decrypt_names_the_material",
            "test_keys::test_a_symmetric_key_names_its_current_material",
            "test_keys::test_only_symmetric_keys_name_their_material[SYMMETRIC_DEFAULT-ENCRYPT_DECRYPT]",
            "test_rotation::test_a_key_for_imported_material_has_no_rotation_status",
            "test_rotation::test_old_ciphertext_opens_after_rotation_with_its_own_material",
            "test_rotation::test_rotating_on_demand_makes_new_material",
            "test_rotation::test_the_whole_history_has_the_first_material_without_a_date",
        ),
    ),
    Departure(
        "no usage is ever judged incompatible with a spec, or required",
        "recorded answers of AWS",
        (
            "test_keys::test_a_usage_that_the_spec_cannot_have_is_refused",
            "test_keys::test_every_spec_but_the_symmetric_needs_a_usage",
        ),
    ),
    Departure(
        "validation errors name members with capitals",
        "recorded answers of AWS: camelCase",
        ("test_keys::test_a_value_outside_its_enum_is_refused_with_the_values_there_are",),
    ),
    Departure(
        "lengths, ranges and enums of requests are not checked",
        "the service model: min, max, enum of the shapes",
        (
            "test_aliases::test_an_alias_has_letters_digits_and_few_signs[alias/a\\n]",
            "test_aliases::test_an_alias_of_256_characters_is_the_longest",
            "test_encryption::test_a_ciphertext_of_the_wrong_size_is_refused",
            "test_encryption::test_an_algorithm_that_does_not_exist_is_refused",
            "test_keys::test_a_description_of_8192_characters_is_the_longest",
            "test_macs::test_messages_up_to_4096_bytes_have_macs",
            "test_paging::test_limits_outside_their_range_are_refused[1-ListAliases]",
            "test_paging::test_limits_outside_their_range_are_refused[1-ListKeyRotations]",
            "test_paging::test_limits_outside_their_range_are_refused[1-ListKeys]",
            "test_paging::test_limits_outside_their_range_are_refused[1-ListResourceTags]",
            "test_rotation::test_a_period_outside_90_to_2560_days_is_refused[2561]",
            "test_signatures::test_a_longer_raw_message_is_refused",
            "test_states::test_any_other_window_is_refused",
            "test_tags::test_tags_beyond_those_sizes_are_refused[1-257]",
            "test_tags::test_tags_beyond_those_sizes_are_refused[129-1]",
        ),
    ),
    Departure(
        "keys that do not exist are worded otherwise",
        "recorded answers of AWS",
        (
            "test_keys::test_a_text_that_is_no_key_id_is_not_found",
            "test_keys::test_an_arn_of_another_region_is_not_found",
        ),
    ),
    Departure(
        "an alias is listed without its dates",
        "the service model: AliasListEntry",
        ("test_aliases::test_an_alias_entry_tells_when_it_was_made",),
    ),
    Departure(
        "an alias is taken where only a key id or ARN is",
        "the service model: ListAliases",
        ("test_aliases::test_aliases_of_one_key_are_not_listed_by_alias",),
    ),
    Departure(
        "the missing prefix of an alias is worded otherwise",
        "recorded answers of AWS",
        ("test_aliases::test_an_alias_needs_its_prefix",),
    ),
    Departure(
        "only the alias/aws/ names that exist are reserved, and those can be deleted",
        "the service model: CreateAlias, DeleteAlias",
        (
            "test_aliases::test_names_of_awss_own_are_reserved",
            "test_aliases::test_one_of_awss_own_aliases_cannot_be_deleted",
        ),
    ),
    Departure(
        "a key may have any number of aliases",
        "the service model: CreateAlias (LimitExceededException), developer guide, resource quotas",
        ("test_aliases::test_a_key_has_fifty_aliases_at_most",),
    ),
    Departure(
        "an alias moves to any kind of key",
        "the service model: UpdateAlias",
        ("test_aliases::test_an_alias_stays_with_its_kind_of_key",),
    ),
    Departure(
        "AWS's own aliases point at key ids without keys, and are like any customer's",
        "the service model: DescribeKey, AliasListEntry",
        (
            "test_aliases::test_an_aws_managed_key_cannot_be_changed[DisableKeyRotation]",
            "test_aliases::test_an_aws_managed_key_cannot_be_changed[DisableKey]",
            "test_aliases::test_an_aws_managed_key_cannot_be_changed[ScheduleKeyDeletion]",
            "test_aliases::test_an_aws_managed_key_cannot_be_changed[TagResource]",
            "test_aliases::test_an_aws_managed_key_cannot_be_changed[UpdateKeyDescription]",
            "test_aliases::test_an_aws_managed_key_rotates",
            "test_aliases::test_awss_own_aliases_have_no_key_until_one_is_needed",
            "test_aliases::test_describing_one_of_awss_own_aliases_makes_its_key",
            "test_tags::test_tags_of_awss_own_are_reserved",
        ),
    ),
    Departure(
        "the algorithm is not in the answer",
        "the service model: EncryptResponse, DecryptResponse",
        ("test_encryption::test_the_answers_name_the_algorithm",),
    ),
    Departure(
        "the encryption context is joined without separators",
        "developer guide, encrypt_context: an exact match of names and values",
        (
            "test_encryption::test_another_context_does_not_open[{'a': ''}-{'': 'a'}]",
            "test_encryption::test_another_context_does_not_open[{'a': 'bc'}-{'ab': 'c'}]",
        ),
    ),
    Departure(
        "a tampered or foreign ciphertext is another error, or has a message",
        "the service model: Decrypt (InvalidCiphertextException); recorded answers of AWS",
        (
            "test_encryption::test_a_tampered_ciphertext_does_not_open[0.0]",
            "test_encryption::test_a_tampered_ciphertext_does_not_open[0.25]",
            "test_encryption::test_what_is_no_ciphertext_does_not_open[200]",
        ),
    ),
    Departure(
        "naming another key is AccessDeniedException",
        "the service model: Decrypt (IncorrectKeyException)",
        ("test_encryption::test_naming_another_key_is_an_incorrect_key",),
    ),
    Departure(
        "any key encrypts, and always symmetrically",
        "the service model: Encrypt (InvalidKeyUsageException), developer guide, asymmetric keys",
        (
            "test_encryption::test_a_key_of_another_usage_does_not_encrypt",
            "test_encryption::test_a_symmetric_key_takes_no_rsa_algorithm",
            "test_encryption::test_an_rsa_ciphertext_does_not_open_without_its_key",
            "test_encryption::test_an_rsa_ciphertext_is_as_long_as_its_modulus",
            "test_encryption::test_an_rsa_key_takes_no_symmetric_algorithm",
            "test_encryption::test_another_padding_does_not_open",
            "test_encryption::test_rsa_encrypts_up_to_what_its_padding_leaves",
        ),
    ),
    Departure(
        "lists ignore Limit and Marker, or page wrongly",
        "the service model: Limit, Marker, InvalidMarkerException",
        (
            "test_grants::test_a_page_of_grants_has_its_sizes",
            "test_grants::test_grants_are_paged",
            "test_paging::test_a_marker_that_no_list_gave_is_refused",
            "test_paging::test_a_page_has_its_default_size",
            "test_paging::test_pages_hold_what_was_asked_for_and_miss_nothing",
        ),
    ),
    Departure(
        "the name of a policy must be given",
        "the service model: PutKeyPolicy, GetKeyPolicy: default",
        ("test_policies::test_the_policys_name_may_be_left_out",),
    ),
    Departure(
        "policies are not parsed, and nobody is locked out",
        "the service model: PutKeyPolicy (MalformedPolicyDocumentException)",
        (
            "test_policies::test_a_key_is_not_made_with_a_policy_that_is_not_json",
            "test_policies::test_a_policy_by_which_the_caller_loses_the_key_is_refused",
            "test_policies::test_a_policy_that_is_not_json_is_refused_and_the_old_one_stays",
        ),
    ),
    Departure(
        "there is no AWS_RAM policy",
        "the service model: PutKeyPolicy",
        ("test_policies::test_rams_policy_is_rams",),
    ),
    Departure(
        "the rotation status lacks its key, period and dates",
        "the service model: GetKeyRotationStatusResponse",
        (
            "test_rotation::test_rotating_on_demand_leaves_the_schedule_alone",
            "test_rotation::test_the_period_can_be_changed",
            "test_rotation::test_the_period_sets_the_next_date",
            "test_rotation::test_the_status_names_its_key",
        ),
    ),
    Departure(
        "keys that cannot rotate do",
        "the service model: EnableKeyRotation, RotateKeyOnDemand (UnsupportedOperationException)",
        ("test_rotation::test_keys_that_are_not_symmetric_cannot_rotate",),
    ),
    Departure(
        "a key rotates on demand without end",
        "the service model: RotateKeyOnDemand (LimitExceededException)",
        ("test_rotation::test_rotating_on_demand_ends_after_25_times",),
    ),
    Departure(
        "an alias in place of a key is no key id",
        "the service model: KeyId takes no alias; InvalidArnException",
        ("test_keys::test_operations_on_the_key_itself_take_no_alias",),
    ),
    Departure(
        "EnableKey and DisableKey fail on an ARN",
        "the service model: EnableKey: KeyId",
        ("test_states::test_a_disabled_key_says_so_and_can_be_enabled_again",),
    ),
    Departure(
        "the answers about a deletion lack the ARN, the state and the window",
        "the service model: ScheduleKeyDeletionResponse, CancelKeyDeletionResponse",
        (
            "test_states::test_cancelling_a_deletion_answers_the_arn",
            "test_states::test_scheduling_a_deletion_answers_the_arn_the_state_and_the_window",
        ),
    ),
    Departure(
        "key states refuse nothing, or something else",
        "developer guide, key-state",
        (
            "test_data_keys::test_a_disabled_key_makes_no_data_keys",
            "test_macs::test_a_disabled_key_makes_no_mac",
            "test_rotation::test_a_key_pending_deletion_does_not_rotate",
            "test_signatures::test_a_disabled_key_does_not_sign",
            "test_states::test_a_ciphertext_of_a_disabled_key_waits_until_the_key_is_enabled",
            "test_states::test_a_ciphertext_of_a_key_pending_deletion_is_refused",
            "test_states::test_a_deletion_that_is_not_scheduled_cannot_be_cancelled",
            "test_states::test_a_disabled_key_refuses",
            "test_states::test_a_key_pending_deletion_refuses",
            "test_states::test_no_alias_is_made_for_a_key_pending_deletion",
            "test_states::test_the_state_is_judged_before_what_the_key_supports",
        ),
    ),
    Departure(
        "tags are not checked",
        "recorded answers of AWS (TagException)",
        ("test_tags::test_a_key_has_fifty_tags_at_most", "test_tags::test_a_tag_key_is_given_once"),
    ),
)

_BY_TEST = {test: departure for departure in DEPARTURES for test in departure.tests}


def departure_of(module: str, function: str, variant: str) -> Departure | None:
    """The departure that a test shows on moto, if any."""
    test = f"{module}::{function}"
    return _BY_TEST.get(f"{test}[{variant}]") or _BY_TEST.get(test)


if __name__ == "__main__":
    tests = sum(len(departure.tests) for departure in DEPARTURES)
    print(f"moto departs from AWS in {len(DEPARTURES)} ways, which {tests} tests show")
