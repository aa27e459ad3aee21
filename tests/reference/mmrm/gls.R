# Repeated measures by generalised least squares: nlme 3.1-162 under R 4.2.2, optimised to tight limits.
# Data: Orthodont (Potthoff and Roy 1964, in nlme), and a trial drawn below: 30 participants in two arms, five visits,
# some missing. Writes gls.json and trial.csv beside this script. Run: Rscript tests/reference/mmrm/gls.R
suppressMessages({library(nlme); library(jsonlite)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)))
# Every number as text with 17 significant digits, matrices as rows; jsonlite itself stops at 15.
full <- function(x) {
  if (is.list(x)) { x[] <- lapply(x, full); return(x) }
  if (is.numeric(x)) { y <- sprintf("%.17g", x); dim(y) <- dim(x); return(y) }
  x
}

set.seed(1990)
n <- 30; months <- c(0, 2, 6, 12, 18)
trial <- data.frame(id = rep(seq_len(n), each = 5), visit = rep(seq_along(months), n), month = rep(months, n))
trial$arm <- ifelse(trial$id <= 14, "ART", "NK")
trial$age <- round(rnorm(n, 40, 9))[trial$id]
person <- rnorm(n)[trial$id]
trial$y <- round(150 + 20 * person + 4 * trial$visit * (trial$arm == "NK") + rnorm(nrow(trial), 0, 6 + 3 * trial$visit), 2)
trial <- trial[-sort(sample(nrow(trial), 17)), ]
write.csv(trial, file.path(here, "trial.csv"), row.names = FALSE, quote = FALSE)

control <- glsControl(maxIter = 1000, msMaxIter = 5000, tolerance = 1e-13, msTol = 1e-14, returnObject = FALSE)
by_visit <- function(form) varIdent(form = form)
one <- function(formula, data, correlation, weights, method) {
  fit <- gls(formula, data = data, correlation = correlation, weights = weights, method = method, control = control)
  p <- length(coef(fit)); N <- nrow(data)
  # nlme inflates the covariance under ML by N / (N - p).
  V <- fit$varBeta * (if (method == "ML") (N - p) / N else 1)
  list(beta = as.numeric(coef(fit)), terms = names(coef(fit)), V = V, sigma = fit$sigma,
       log_likelihood = as.numeric(logLik(fit)))
}
all_of <- function(formula, data, subject, visit, time) {
  each <- as.formula(paste("~ 1 |", visit)); order <- as.formula(paste("~", visit, "|", subject))
  axis <- as.formula(paste("~", time, "|", subject)); whole <- as.formula(paste("~ 1 |", subject))
  data[[paste0(visit, "_f")]] <- factor(data[[visit]])
  kinds <- list(
    us = list(corSymm(form = order), varIdent(form = each)), cs = list(corCompSymm(form = whole), NULL),
    csh = list(corCompSymm(form = whole), varIdent(form = each)), ar1 = list(corAR1(form = order), NULL),
    ar1h = list(corAR1(form = order), varIdent(form = each)), sp_exp = list(corExp(form = axis), NULL))
  lapply(list(reml = "REML", ml = "ML"), function(method)
    lapply(kinds, function(kind) one(formula, data, kind[[1]], kind[[2]], method)))
}
child <- as.data.frame(Orthodont); child$Subject <- as.character(child$Subject); child$Sex <- as.character(child$Sex)
child$visit <- as.integer(factor(child$age))
result <- list(
  made_with = list(R = R.version.string, nlme = as.character(packageVersion("nlme"))),
  orthodont = list(rows = child[, c("Subject", "Sex", "age", "distance")],
                   fits = all_of(distance ~ Sex * age, child, "Subject", "visit", "age")),
  trial = list(fits = all_of(y ~ age + arm * factor(visit), trial, "id", "visit", "month")))
write(toJSON(full(result), auto_unbox = TRUE, matrix = "rowmajor", dataframe = "columns", pretty = TRUE),
      file.path(here, "gls.json"))
