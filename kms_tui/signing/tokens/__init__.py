"""Tokens (JWT, RFC 7519): made with KMS keys, taken apart, judged and verified; sets of keys (JWKS).

A token is a compact JWS (RFC 7515) whose payload is a JSON object of claims. ``token_signing`` makes one,
``token_reading`` takes one apart, ``token_verifying`` judges it, ``jwks`` lists keys. joserfc does JOSE;
signatures are made and checked by KMS, or checked here with a public key.
"""
