-- Web log 15: grouping by a small integer and a string
SELECT BrowserCountry, SearchPhrase, count(*) AS searches
FROM hits
WHERE SearchPhrase <> ''
GROUP BY BrowserCountry, SearchPhrase
ORDER BY searches DESC, BrowserCountry, SearchPhrase
LIMIT 12;
