-- Web log 20: point lookup in an unsorted 64-bit column
SELECT UserID, WatchID FROM hits WHERE UserID = 6270395649139407857 ORDER BY WatchID;
