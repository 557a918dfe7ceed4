"""What runs on the machines of a cluster: image, bootstrap, health check, job description."""
