"""Moves ciphertexts in files from one KMS key to another: messages, sops files, plain ciphertexts.

``key_move`` has the calls to KMS, ``plain_ciphertext`` and ``envelope/sops_file`` the forms of files,
``file_moves`` moves one file, ``file_tree`` finds them.
"""
