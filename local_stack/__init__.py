"""The stack on this machine: emulator, deployment and demonstration. Nothing here is deployed."""
