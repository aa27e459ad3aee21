# Two real trials by generalised least squares: nlme 3.1-162 under R 4.2.2, optimised to tight limits.
# Data: ../shared/data/trials beside the checkout: armd240_wide.csv (eye trial, 240 patients, dropout) and
# ddi_ddc_cd4.csv (CPCRA 002, 467 patients). Writes real_trials.json beside this script.
# Run: Rscript tests/reference/mmrm/real_trials.R
suppressMessages({library(nlme); library(jsonlite)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)))
folder <- file.path(here, "..", "..", "..", "..", "shared", "data", "trials")
control <- glsControl(maxIter = 1000, msMaxIter = 5000, tolerance = 1e-13, msTol = 1e-14, returnObject = FALSE)
one <- function(formula, data, correlation, weights) {
  fit <- gls(formula, data = data, correlation = correlation, weights = weights, control = control, na.action = na.omit)
  list(beta = sprintf("%.17g", coef(fit)), se = sprintf("%.17g", sqrt(diag(fit$varBeta))),
       log_likelihood = sprintf("%.17g", as.numeric(logLik(fit))))
}
wide <- read.csv(file.path(folder, "armd240_wide.csv"))
weeks <- c(4, 12, 24, 52)
eye <- do.call(rbind, lapply(seq_along(weeks), function(at) data.frame(
  subject = wide$subject, treat = factor(wide$treat), visual0 = wide$visual0, visit = at, week = factor(weeks[at], weeks),
  visual = wide[[paste0("visual", weeks[at])]])))
eye <- eye[order(eye$subject, eye$visit), ]
eye <- eye[!is.na(eye$visual), ]
cd4 <- read.csv(file.path(folder, "ddi_ddc_cd4.csv"))
cd4$visit <- match(cd4$month, c(0, 2, 6, 12, 18))
cd4 <- cd4[order(cd4$patient, cd4$visit), ]
seen <- varIdent(form = ~ 1 | visit)
out <- list(
  made_with = list(R = R.version.string, nlme = as.character(packageVersion("nlme"))),
  eye = list(us = one(visual ~ visual0 + treat * week, eye, corSymm(form = ~ visit | subject), seen),
             ar1h = one(visual ~ visual0 + treat * week, eye, corAR1(form = ~ visit | subject), seen)),
  cd4 = list(us = one(sqrt_cd4 ~ month * drug, cd4, corSymm(form = ~ visit | patient), seen),
             sp_exp = one(sqrt_cd4 ~ month * drug, cd4, corExp(form = ~ month | patient), NULL)))
write_json(out, file.path(here, "real_trials.json"), auto_unbox = TRUE, pretty = TRUE)
