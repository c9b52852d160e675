"""Pictures of QR codes in: photographs, screenshots and drawings; what they say is text."""
