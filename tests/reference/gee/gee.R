# Generalised estimating equations: gee 4.13-25 under R 4.2.2, iterated to 1e-11.
# Data: drawn below, 26 participants in two arms, five visits; some participants leave early, as gee takes the observations
# of a participant to be visits 1, 2, ... without a gap.
# Writes gee.json beside this script. Run: Rscript tests/reference/gee/gee.R
suppressMessages({library(gee); library(jsonlite)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)))
# Every number as text with 17 significant digits, matrices as rows; jsonlite itself stops at 15.
full <- function(x) {
  if (is.list(x)) { x[] <- lapply(x, full); return(x) }
  if (is.numeric(x)) { y <- sprintf("%.17g", x); dim(y) <- dim(x); return(y) }
  x
}

set.seed(1986)
n <- 26; visits <- 5
d <- data.frame(id = rep(seq_len(n), each = visits), visit = rep(seq_len(visits), n))
d$arm <- ifelse(d$id <= 12, "ART", "NK")
d$age <- round(rnorm(n, 40, 9))[d$id]
person <- rnorm(n)[d$id]
d$y <- round(150 + 25 * person + 4 * d$visit * (d$arm == "NK") + rnorm(nrow(d), 0, 20), 2)
d$event <- rbinom(nrow(d), 1, plogis(-0.4 + 0.9 * person + 0.2 * d$visit * (d$arm == "NK")))
d$count <- rpois(nrow(d), exp(0.6 + 0.5 * person + 0.08 * d$visit * (d$arm == "NK")))
d$cost <- round(rgamma(nrow(d), 3, 3 / exp(1 + 0.4 * person)), 3)
last <- ifelse(seq_len(n) %% 5 == 0, 3, visits)[d$id]
left <- which(d$visit > last)
kept <- d[-left, ]

one <- function(formula, family, corstr, data, ...) {
  sink(nullfile())
  fit <- suppressMessages(gee(formula, id = id, data = data, family = family, corstr = corstr, tol = 1e-11,
                              maxiter = 500, ...))
  sink()
  stopifnot(fit$error == 0)
  list(beta = as.numeric(coef(fit)), robust = unname(fit$robust.variance), model = unname(fit$naive.variance),
       phi = as.numeric(fit$scale), R = unname(fit$working.correlation))
}
families <- list(
  gaussian = list(y ~ arm * visit + age, gaussian()),
  binomial = list(event ~ arm * visit + age, binomial()),
  poisson = list(count ~ arm * visit + age, poisson()),
  gamma_log = list(cost ~ arm * visit + age, Gamma("log"))
)
fits <- list()
for (name in names(families)) for (which in c("complete", "leaving")) {
  data <- if (which == "complete") d else kept
  for (corstr in c("independence", "exchangeable", "unstructured"))
    fits[[paste(name, corstr, which, sep = "/")]] <- one(families[[name]][[1]], families[[name]][[2]], corstr, data)
  fits[[paste(name, "ar1", which, sep = "/")]] <- one(families[[name]][[1]], families[[name]][[2]], "AR-M", data, Mv = 1)
  fits[[paste(name, "2-dependent", which, sep = "/")]] <-
    one(families[[name]][[1]], families[[name]][[2]], "stat_M_dep", data, Mv = 2)
}
write_json(full(list(
  made_with = list(R = R.version.string, gee = as.character(packageVersion("gee"))),
  data = d, left = left, fits = fits
)), file.path(here, "gee.json"), auto_unbox = TRUE, dataframe = "columns")
