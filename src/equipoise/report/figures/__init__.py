"""The figures of the report: each a function that takes tidy rows and gives the figure and the data plotted."""
