"""Certificates, CSRs and CRLs of KMS keys; the key never leaves KMS, and each is one call of Sign.

The command line and the console make them in the same four steps:

    key = open_signing_key(kms, "alias/ca")                     one call of GetPublicKey
    fields = read_fields(FieldTexts(subject=…, dns=…), now)     FieldError.field says which text is wrong
    unsigned = unsigned_request(key, fields)                    also unsigned_self_signed, unsigned_issued
    unsigned.lines, unsigned.notes                              the preview; no call of KMS
    made = unsigned.sign()                                      one call of Sign

``copied_fields`` takes the fields of another certificate or of a CSR, ``revocation_lists`` makes CRLs in the
same way, ``certificate_files`` reads files, ``descriptions`` says what is in them, ``openssl_lines`` how to
check them.
"""
