-- Web log 13: most frequent strings among those not empty
SELECT SearchPhrase, count(*) AS searches
FROM hits
WHERE SearchPhrase <> ''
GROUP BY SearchPhrase
ORDER BY searches DESC, SearchPhrase
LIMIT 12;
