# Generalised estimating equations: geepack 1.3.9 under R 4.2.2, iterated to 1e-12.
# Data: drawn below, 24 participants in two arms, six visits, some missing.
# Writes geepack.json beside this script. Run: Rscript tests/reference/gee/geepack.R
suppressMessages({library(geepack); library(jsonlite)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)))
# Every number as text with 17 significant digits, matrices as rows; jsonlite itself stops at 15.
full <- function(x) {
  if (is.list(x)) { x[] <- lapply(x, full); return(x) }
  if (is.numeric(x)) { y <- sprintf("%.17g", x); dim(y) <- dim(x); return(y) }
  x
}

set.seed(1908)
n <- 24; visits <- 6
d <- data.frame(id = rep(seq_len(n), each = visits), visit = rep(seq_len(visits), n))
d$arm <- ifelse(d$id <= 11, "ART", "NK")
d$age <- round(rnorm(n, 40, 9))[d$id]
person <- rnorm(n)[d$id]
d$y <- round(150 + 25 * person + 4 * d$visit * (d$arm == "NK") + rnorm(nrow(d), 0, 20), 2)
d$event <- rbinom(nrow(d), 1, plogis(-0.4 + 0.9 * person + 0.2 * d$visit * (d$arm == "NK")))
d$count <- rpois(nrow(d), exp(0.6 + 0.5 * person + 0.08 * d$visit * (d$arm == "NK")))
d$cost <- round(rgamma(nrow(d), 3, 3 / exp(1 + 0.4 * person)), 3)
d$weight <- round(runif(nrow(d), 0.5, 2), 2)
gap <- sort(sample(nrow(d), 21))
kept <- d[-gap, ]

control <- geese.control(epsilon = 1e-13, maxit = 200)
one <- function(formula, family, corstr, data, weighted = FALSE) {
  data$w <- if (weighted) data$weight else 1
  fit <- geeglm(formula, family = family, data = data, id = id, waves = visit, corstr = corstr, weights = w,
                control = control, scale.fix = FALSE)
  alpha <- as.numeric(fit$geese$alpha)
  R <- diag(visits)
  if (corstr == "exchangeable") R[row(R) != col(R)] <- alpha
  if (corstr == "ar1") R <- alpha^abs(row(R) - col(R))
  if (corstr == "unstructured") { R[lower.tri(R)] <- alpha; R <- R + t(R) - diag(visits) }
  list(beta = as.numeric(coef(fit)), robust = fit$geese$vbeta, model = fit$geese$vbeta.naiv,
       phi = as.numeric(fit$geese$gamma), alpha = alpha, R = R, cic = as.numeric(QIC(fit)["CIC"]))
}
families <- list(
  gaussian = list(y ~ arm * visit + age, gaussian()),
  binomial = list(event ~ arm * visit + age, binomial()),
  poisson = list(count ~ arm * visit + age, poisson()),
  gamma_log = list(cost ~ arm * visit + age, Gamma("log"))
)
fits <- list()
for (name in names(families)) for (corstr in c("independence", "exchangeable", "ar1", "unstructured")) {
  for (which in c("complete", "missing")) {
    if (corstr == "unstructured" && which == "missing") next
    data <- if (which == "complete") d else kept
    fits[[paste(name, corstr, which, sep = "/")]] <- one(families[[name]][[1]], families[[name]][[2]], corstr, data)
  }
}
fits[["gaussian/exchangeable/weighted"]] <- one(families$gaussian[[1]], gaussian(), "exchangeable", kept, TRUE)
fits[["binomial_probit/independence/complete"]] <- one(event ~ arm * visit + age, binomial("probit"), "independence", d)
fits[["gamma_inverse/independence/complete"]] <- one(cost ~ arm + visit, Gamma("inverse"), "independence", d)
# An offset, and a working correlation that is given and not estimated.
d$exposure <- 0.5 + (seq_len(nrow(d)) %% 5) / 4
kept <- d[-gap, ]
fits[["poisson/exchangeable/offset"]] <- one(count ~ arm * visit + age + offset(log(exposure)), poisson(), "exchangeable", kept)
given <- 0.6^abs(outer(seq_len(visits), seq_len(visits), "-"))
fixed <- geeglm(event ~ arm * visit + age, family = binomial(), data = d, id = id, waves = visit, corstr = "fixed",
                zcor = fixed2Zcor(given, d$id, d$visit), control = control)
fits[["binomial/given/complete"]] <- list(beta = as.numeric(coef(fixed)), robust = fixed$geese$vbeta, model = fixed$geese$vbeta.naiv,
  phi = as.numeric(fixed$geese$gamma), alpha = 1, R = given, cic = as.numeric(QIC(fixed)["CIC"]))
write_json(full(list(
  made_with = list(R = R.version.string, geepack = as.character(packageVersion("geepack"))),
  data = d, missing = gap, fits = fits
)), file.path(here, "geepack.json"), auto_unbox = TRUE, dataframe = "columns")
