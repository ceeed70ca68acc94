"""Every parameter that switches something: all of them off, and all of them on."""

OFF = {
    "AlarmEmail": "",
    "AllowedNetworks": "",
    "CanaryEnabled": "false",
    "CertificateArn": "",
    "DeletionProtection": "false",
    "DomainName": "",
    "HostedZoneId": "",
    "ManageApiGatewayAccount": "false",
    "PermissionsBoundary": "",
    "PublicUrl": "",
    "ReservedConcurrency": "0",
    "SavedQueries": "false",
    "Tracing": "PassThrough",
    "FirewallEnabled": "false",
}
ON = {
    "AlarmEmail": "on-call@clinic.example",
    "AllowedNetworks": "203.0.113.0/24,2001:db8::/32",
    "CanaryEnabled": "true",
    "CertificateArn": f"arn:aws:acm:eu-central-1:123456789012:certificate/{'0' * 8}",
    "DeletionProtection": "true",
    "DomainName": "tokens.clinic.example",
    "HostedZoneId": "Z0123456789ABCDEFGHIJ",
    "ManageApiGatewayAccount": "true",
    "PermissionsBoundary": "arn:aws:iam::123456789012:policy/Boundary",
    "PublicUrl": "https://tokens.clinic.example",
    "ReservedConcurrency": "5",
    "SavedQueries": "true",
    "Tracing": "Active",
    "FirewallEnabled": "true",
}
