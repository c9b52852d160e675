"""The practice backends: four small 2FA servers, all of one anatomy: `model.py` has the rules, `app.py` the wire."""
