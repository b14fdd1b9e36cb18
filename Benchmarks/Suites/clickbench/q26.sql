-- Web log 26: top-N by a string
SELECT SearchPhrase FROM hits WHERE SearchPhrase <> '' ORDER BY SearchPhrase DESC LIMIT 12;
