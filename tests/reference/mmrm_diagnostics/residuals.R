# Residuals of repeated measures by generalised least squares: nlme 3.1-162 under R 4.2.2, optimised to tight limits.
# Data: Orthodont (Potthoff and Roy 1964, in nlme), complete, and ../mmrm/trial.csv, drawn by ../mmrm/gls.R, with missing
# visits. Residuals of types response, pearson and normalized in the order of the rows, sorted by subject and visit.
# Writes residuals.json beside this script. Run: Rscript tests/reference/mmrm_diagnostics/residuals.R
suppressMessages({library(nlme); library(jsonlite)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)))
# Every number as text with 17 significant digits; jsonlite itself stops at 15.
full <- function(x) {
  if (is.list(x)) { x[] <- lapply(x, full); return(x) }
  if (is.numeric(x)) return(sprintf("%.17g", x))
  x
}
control <- glsControl(maxIter = 1000, msMaxIter = 5000, tolerance = 1e-13, msTol = 1e-14, returnObject = FALSE)
one <- function(formula, data, correlation, weights) {
  fit <- gls(formula, data, correlation = correlation, weights = weights, control = control)
  types <- c("response", "pearson", "normalized")
  found <- lapply(types, function(type) as.vector(residuals(fit, type = type)))
  c(list(fitted = as.vector(fitted(fit))), setNames(found, types))
}

growth <- as.data.frame(Orthodont)
growth$Subject <- as.character(growth$Subject)
growth <- growth[order(growth$Subject, growth$age), ]
growth$place <- as.integer(factor(growth$age))
trial <- read.csv(file.path(here, "..", "mmrm", "trial.csv"))
trial <- trial[order(trial$id, trial$visit), ]

fits <- function(formula, data, place, subject, visit) {
  along <- as.formula(paste("~", place, "|", subject)); across <- as.formula(paste("~ 1 |", visit))
  list(us = one(formula, data, corSymm(form = along), varIdent(form = across)),
       csh = one(formula, data, corCompSymm(form = along), varIdent(form = across)),
       ar1 = one(formula, data, corAR1(form = along), NULL))
}
rows <- list(Subject = growth$Subject, Sex = as.character(growth$Sex), age = growth$age, distance = growth$distance)
stored <- list(
  orthodont = list(rows = rows, fits = fits(distance ~ Sex * age, growth, "place", "Subject", "place")),
  trial = list(fits = fits(y ~ arm * factor(visit) + age, trial, "visit", "id", "visit")))
writeLines(toJSON(full(stored), auto_unbox = TRUE, pretty = TRUE), file.path(here, "residuals.json"))
