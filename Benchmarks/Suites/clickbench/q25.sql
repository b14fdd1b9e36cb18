-- Web log 25: top-N by time
SELECT SearchPhrase, EventTime FROM hits WHERE SearchPhrase <> '' ORDER BY EventTime DESC, WatchID LIMIT 12;
