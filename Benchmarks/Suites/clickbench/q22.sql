-- Web log 22: substring search, then grouping by a string
SELECT SearchPhrase, min(Referer) AS a_referer, count(*) AS searches
FROM hits
WHERE URL LIKE '%/weather%' AND SearchPhrase <> ''
GROUP BY SearchPhrase
ORDER BY searches DESC, SearchPhrase
LIMIT 10;
