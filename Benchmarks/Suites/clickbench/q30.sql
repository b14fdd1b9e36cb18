-- Web log 30: ninety sums of one column
SELECT
  sum(WindowClientHeight), sum(WindowClientHeight + 1), sum(WindowClientHeight + 2), sum(WindowClientHeight + 3), sum(WindowClientHeight + 4),
  sum(WindowClientHeight + 5), sum(WindowClientHeight + 6), sum(WindowClientHeight + 7), sum(WindowClientHeight + 8), sum(WindowClientHeight + 9),
  sum(WindowClientHeight + 10), sum(WindowClientHeight + 11), sum(WindowClientHeight + 12), sum(WindowClientHeight + 13), sum(WindowClientHeight + 14),
  sum(WindowClientHeight + 15), sum(WindowClientHeight + 16), sum(WindowClientHeight + 17), sum(WindowClientHeight + 18), sum(WindowClientHeight + 19),
  sum(WindowClientHeight + 20), sum(WindowClientHeight + 21), sum(WindowClientHeight + 22), sum(WindowClientHeight + 23), sum(WindowClientHeight + 24),
  sum(WindowClientHeight + 25), sum(WindowClientHeight + 26), sum(WindowClientHeight + 27), sum(WindowClientHeight + 28), sum(WindowClientHeight + 29),
  sum(WindowClientHeight + 30), sum(WindowClientHeight + 31), sum(WindowClientHeight + 32), sum(WindowClientHeight + 33), sum(WindowClientHeight + 34),
  sum(WindowClientHeight + 35), sum(WindowClientHeight + 36), sum(WindowClientHeight + 37), sum(WindowClientHeight + 38), sum(WindowClientHeight + 39),
  sum(WindowClientHeight + 40), sum(WindowClientHeight + 41), sum(WindowClientHeight + 42), sum(WindowClientHeight + 43), sum(WindowClientHeight + 44),
  sum(WindowClientHeight + 45), sum(WindowClientHeight + 46), sum(WindowClientHeight + 47), sum(WindowClientHeight + 48), sum(WindowClientHeight + 49),
  sum(WindowClientHeight + 50), sum(WindowClientHeight + 51), sum(WindowClientHeight + 52), sum(WindowClientHeight + 53), sum(WindowClientHeight + 54),
  sum(WindowClientHeight + 55), sum(WindowClientHeight + 56), sum(WindowClientHeight + 57), sum(WindowClientHeight + 58), sum(WindowClientHeight + 59),
  sum(WindowClientHeight + 60), sum(WindowClientHeight + 61), sum(WindowClientHeight + 62), sum(WindowClientHeight + 63), sum(WindowClientHeight + 64),
  sum(WindowClientHeight + 65), sum(WindowClientHeight + 66), sum(WindowClientHeight + 67), sum(WindowClientHeight + 68), sum(WindowClientHeight + 69),
  sum(WindowClientHeight + 70), sum(WindowClientHeight + 71), sum(WindowClientHeight + 72), sum(WindowClientHeight + 73), sum(WindowClientHeight + 74),
  sum(WindowClientHeight + 75), sum(WindowClientHeight + 76), sum(WindowClientHeight + 77), sum(WindowClientHeight + 78), sum(WindowClientHeight + 79),
  sum(WindowClientHeight + 80), sum(WindowClientHeight + 81), sum(WindowClientHeight + 82), sum(WindowClientHeight + 83), sum(WindowClientHeight + 84),
  sum(WindowClientHeight + 85), sum(WindowClientHeight + 86), sum(WindowClientHeight + 87), sum(WindowClientHeight + 88), sum(WindowClientHeight + 89)
FROM hits;
