# Conditional mean imputation, subject by subject, from gls of nlme 3.1-162 (restricted maximum likelihood,
# unstructured) under R 4.2.2; then lm at each visit, and the jackknife by fitting everything again without each subject.
# Means and covariances are those of Carpenter, Roger and Kenward (2013), section 4.
# Data: drawn below, 36 participants in two arms, four visits, dropout, gaps, and outcomes known after an event.
# Writes strategies.json beside this script. Run: Rscript tests/reference/imputation/strategies.R
suppressMessages({library(nlme); library(jsonlite)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)))
full <- function(x) {
  if (is.list(x)) { x[] <- lapply(x, full); return(x) }
  if (is.numeric(x)) { y <- sprintf("%.17g", x); dim(y) <- dim(x); return(y) }
  x
}

set.seed(2013)
n <- 36; visits <- 4
arm <- rep(c("ART", "NK"), n / 2)
baseline <- round(rnorm(n, 140, 40))
person <- rnorm(n, 0, 30)
y <- t(sapply(seq_len(n), function(i) {
  round(60 + 0.5 * baseline[i] + person[i] + 15 * seq_len(visits) * (arm[i] == "NK") + rnorm(visits, 0, 25), 1)
}))
# The first visit that the event affects, 5 for none. Most drop out there; two stay and are seen after it.
event <- rep(visits + 1, n)
event[c(1, 5, 9, 14, 18)] <- 4
event[c(2, 3, 8, 12, 20)] <- 3
event[c(4, 7)] <- 2
event[6] <- 1
for (i in which(event <= visits)) y[i, event[i]:visits] <- NA
y[5, 4] <- 148.2
y[8, 4] <- 201.7
y[10, 2] <- NA; y[11, 1] <- NA; y[13, 3] <- NA; y[14, 2] <- NA

control <- glsControl(tolerance = 1e-12, msTol = 1e-14, msMaxIter = 500, maxIter = 500, opt = "nlminb")
long_of <- function(keep, modelled) {
  d <- data.frame(id = rep(keep, each = visits), visit = rep(seq_len(visits), length(keep)),
                  y = as.vector(t(modelled[keep, , drop = FALSE])))
  d$nk <- as.numeric(arm[d$id] == "NK"); d$baseline <- baseline[d$id]; d$v <- factor(d$visit)
  d[!is.na(d$y), ]
}
# Coefficients by visit (4 rows of intercept, baseline and, where there are two arms, NK) and the covariance.
base_model <- function(keep, modelled) {
  d <- long_of(keep, modelled)
  two <- length(unique(d$nk)) == 2
  formula <- if (two) y ~ 0 + v + v:baseline + v:nk else y ~ 0 + v + v:baseline
  fit <- gls(formula, data = d, correlation = corSymm(form = ~ visit | id), weights = varIdent(form = ~ 1 | v),
             method = "REML", control = control)
  b <- matrix(coef(fit), nrow = visits)
  whole <- diag(visits)
  whole[lower.tri(whole)] <- coef(fit$modelStruct$corStruct, unconstrained = FALSE)
  whole <- whole + t(whole) - diag(visits)
  weight <- coef(fit$modelStruct$varStruct, unconstrained = FALSE, allCoef = TRUE)[as.character(seq_len(visits))]
  list(b = if (two) b else cbind(b, 0), sigma = fit$sigma^2 * whole * outer(weight, weight))
}
models_of <- function(keep, modelled, covariance) {
  if (covariance == "common") {
    both <- base_model(keep, modelled)
    list(ART = both, NK = both)
  } else {
    list(ART = base_model(keep[arm[keep] == "ART"], modelled), NK = base_model(keep[arm[keep] == "NK"], modelled))
  }
}
mean_of <- function(model, i, group, covariance) {
  as.vector(model$b %*% c(1, baseline[i], if (covariance == "common") as.numeric(group == "NK") else 0))
}
joined <- function(own, ref, past) {
  k <- ref[-past, past, drop = FALSE] %*% solve(ref[past, past])
  whole <- own
  whole[-past, past] <- k %*% own[past, past]
  whole[past, -past] <- t(whole[-past, past])
  whole[-past, -past] <- ref[-past, -past] - k %*% (ref[past, past] - own[past, past]) %*% t(k)
  whole
}
completed <- function(keep, strategy, covariance) {
  modelled <- y
  if (strategy != "mar") for (i in which(event <= visits)) modelled[i, event[i]:visits] <- NA
  models <- models_of(keep, modelled, covariance)
  filled <- y
  for (i in keep) {
    gone <- which(is.na(y[i, ]))
    if (!length(gone)) next
    own <- models[[arm[i]]]; ref <- models$ART
    mu <- mean_of(own, i, arm[i], covariance); mu_ref <- mean_of(ref, i, "ART", covariance)
    sigma <- own$sigma
    t0 <- event[i]
    if (t0 <= visits && strategy != "mar") {
      past <- seq_len(t0 - 1); after <- t0:visits
      if (strategy == "copy-reference" || (t0 == 1 && strategy != "last-mean-carried-forward")) {
        mu <- mu_ref; sigma <- ref$sigma
      } else {
        if (strategy == "jump-to-reference") mu[after] <- mu_ref[after]
        if (strategy == "copy-increments") mu[after] <- mu[t0 - 1] + mu_ref[after] - mu_ref[t0 - 1]
        if (strategy == "last-mean-carried-forward") mu[after] <- mu[t0 - 1]
        if (strategy != "last-mean-carried-forward") sigma <- joined(own$sigma, ref$sigma, past)
      }
    }
    known <- which(!is.na(y[i, ]))
    filled[i, gone] <- mu[gone]
    if (length(known)) {
      filled[i, gone] <- mu[gone] + sigma[gone, known, drop = FALSE] %*%
        solve(sigma[known, known, drop = FALSE], y[i, known] - mu[known])
    }
  }
  filled
}
effect <- function(filled, keep, visit) {
  as.numeric(coef(lm(filled[keep, visit] ~ baseline[keep] + I(arm[keep] == "NK")))[3])
}

# With a mean carried forward from before the first visit there is none: that participant leaves.
everyone <- function(strategy) if (strategy == "last-mean-carried-forward") setdiff(seq_len(n), 6) else seq_len(n)
strategies <- c("mar", "jump-to-reference", "copy-reference", "copy-increments", "last-mean-carried-forward")
results <- list()
for (strategy in strategies) for (covariance in c("common", "by-arm")) {
  keep <- everyone(strategy)
  filled <- completed(keep, strategy, covariance)
  one <- list(strategy = strategy, covariance = covariance,
              effects = sapply(seq_len(visits), function(visit) effect(filled, keep, visit)))
  one$values <- t(filled[keep, ])[is.na(t(y[keep, ]))]
  if (covariance == "common" && strategy == "jump-to-reference") {
    left <- sapply(keep, function(i) effect(completed(setdiff(keep, i), strategy, covariance), setdiff(keep, i), visits))
    m <- length(left)
    one$jackknife <- list(effects = left, std_error = sqrt((m - 1) / m * sum((left - mean(left))^2)))
  }
  results[[length(results) + 1]] <- one
}
out <- list(
  made_with = list(R = R.version.string, nlme = as.character(packageVersion("nlme"))),
  data = full(list(arm = arm, baseline = baseline, event = event, y = y)), results = full(results)
)
write_json(out, file.path(here, "strategies.json"), auto_unbox = TRUE, na = "null")
