"""What the pipeline does to a stack on AWS, and a person can do too. Nothing here is deployed."""
