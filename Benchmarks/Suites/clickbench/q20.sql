-- Web log 20: point lookup in an unsorted 64-bit column
SELECT UserID, WatchID FROM hits WHERE UserID = 6334420432420195704 ORDER BY WatchID;
