"""What OpenSSH reads: public keys, signatures of ``ssh-keygen -Y verify``, user and host certificates."""
