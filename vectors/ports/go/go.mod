module example.com/undersign

go 1.18
