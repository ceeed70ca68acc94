"""An experiment: IssueToken without botocore."""
