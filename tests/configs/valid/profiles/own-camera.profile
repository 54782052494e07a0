name = "own-camera"
filter = ["FILTNO"]

[kind]
keywords = ["TYPE"]
science = ["sky"]
