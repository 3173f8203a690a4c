"""Account policies: what a store holds of an account's IAM, organization and VPC endpoints. Pure."""
