"""Time as an argument; frozen time, its patches, other processes, pages."""
