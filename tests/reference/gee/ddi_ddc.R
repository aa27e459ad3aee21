# Generalised estimating equations on the ddI against ddC trial: geepack 1.3.9 under R 4.2.2, iterated to 1e-13.
# Data: ../shared/data/trials/ddi_ddc_cd4.csv beside the checkout (467 patients, 1,405 visits; CPCRA 002).
# Writes ddi_ddc.json beside this script. Run: Rscript tests/reference/gee/ddi_ddc.R
suppressMessages({library(geepack); library(jsonlite)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)))
d <- read.csv(file.path(here, "..", "..", "..", "..", "shared", "data", "trials", "ddi_ddc_cd4.csv"))
control <- geese.control(epsilon = 1e-13, maxit = 200)
one <- function(corstr) {
  fit <- geeglm(sqrt_cd4 ~ month + month:drug, data = d, id = patient, corstr = corstr, control = control)
  list(beta = sprintf("%.17g", coef(fit)), se = sprintf("%.17g", sqrt(diag(fit$geese$vbeta))),
       phi = sprintf("%.17g", fit$geese$gamma), alpha = sprintf("%.17g", fit$geese$alpha))
}
out <- list(made_with = list(R = R.version.string, geepack = as.character(packageVersion("geepack"))),
            independence = one("independence"), exchangeable = one("exchangeable"))
write_json(out, file.path(here, "ddi_ddc.json"), auto_unbox = TRUE)
