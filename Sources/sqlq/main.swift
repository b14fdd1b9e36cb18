print("sqlq")
