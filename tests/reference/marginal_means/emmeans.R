# Marginal means, contrasts and adjustments: emmeans 1.8.4-1 on lm, geepack 1.3.9, nlme 3.1-162 and afex 1.2-1; multcomp
# 1.4-22 and mvtnorm 1.1-3 for the multivariate t; R 4.2.2.
# Data: drawn below, 30 participants in three arms, two sites, four visits; some visits missing.
# Writes emmeans.json beside this script. Run: Rscript tests/reference/marginal_means/emmeans.R
suppressMessages({
  library(emmeans); library(geepack); library(nlme); library(afex); library(multcomp); library(mvtnorm); library(jsonlite)
})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)))
# Every number as text with 17 significant digits; jsonlite itself stops at 15.
full <- function(x) {
  if (is.list(x)) { x[] <- lapply(x, full); return(x) }
  if (is.factor(x)) return(as.character(x))
  if (is.numeric(x)) { y <- sprintf("%.17g", x); dim(y) <- dim(x); return(y) }
  x
}
emm_options(msg.interaction = FALSE, msg.nesting = FALSE)
set.seed(20)
n <- 30
d <- data.frame(id = rep(sprintf("P%02d", 1:n), each = 4), visit = rep(c(0, 1, 3, 6), n))
d$arm <- rep(rep(c("ART", "HIGH", "LOW"), c(12, 10, 8)), each = 4)
d$site <- rep(ifelse(runif(n) < 0.6, "east", "west"), each = 4)
d$age <- rep(round(rnorm(n, 45, 9)), each = 4)
d$sex <- rep(rbinom(n, 1, 0.4), each = 4)
d$time <- rep(round(runif(n, 0.5, 3), 2), each = 4)
arm <- c(ART = 0, HIGH = 35, LOW = 15)[d$arm]
d$y <- round(140 + 0.6 * (d$age - 45) + arm * sqrt(d$visit / 6) + rep(rnorm(n, 0, 30), each = 4) + rnorm(4 * n, 0, 20), 1)
d$event <- rbinom(4 * n, 1, plogis(-0.6 + 0.02 * arm + 0.1 * d$visit))
d$count <- rpois(4 * n, d$time * exp(0.3 + 0.01 * arm))
d$y[sample(4 * n, 12)] <- NA
d$fvisit <- factor(d$visit)
d$arm <- factor(d$arm); d$site <- factor(d$site)

means <- function(e, ...) {
  s <- as.data.frame(summary(e, infer = c(TRUE, FALSE), ...))
  est <- intersect(c("emmean", "response", "prob", "rate", "prediction"), names(s))
  low <- grep("lower.CL|asymp.LCL", names(s)); high <- grep("upper.CL|asymp.UCL", names(s))
  list(estimate = s[[est]], std_error = s$SE, df = s$df, conf_low = s[[low]], conf_high = s[[high]])
}
tests <- function(e, method, adjust, ...) {
  extra <- list(...)
  k <- contrast(e, method, adjust = adjust)
  s <- as.data.frame(do.call(summary, c(list(k, infer = c(TRUE, TRUE), adjust = adjust), extra)))
  est <- intersect(c("estimate", "ratio", "odds.ratio"), names(s))
  st <- intersect(c("t.ratio", "z.ratio"), names(s))
  low <- grep("lower.CL|asymp.LCL", names(s)); high <- grep("upper.CL|asymp.UCL", names(s))
  list(contrast = as.character(s$contrast), estimate = s[[est]], std_error = s$SE, df = s$df, statistic = s[[st]],
       p_value = s$p.value, conf_low = s[[low]], conf_high = s[[high]])
}
joint <- function(k) {
  s <- as.data.frame(test(k, joint = TRUE))
  list(df_num = s$df1, df_den = s$df2, statistic = s$F.ratio, p_value = s$p.value)
}
out <- list(made_with = list(
  R = R.version.string, emmeans = as.character(packageVersion("emmeans")), multcomp = as.character(packageVersion("multcomp")),
  mvtnorm = as.character(packageVersion("mvtnorm")), nlme = as.character(packageVersion("nlme")),
  geepack = as.character(packageVersion("geepack")), afex = as.character(packageVersion("afex"))), data = d)

# Least squares at month 6, interacting factors, a covariate and a 0/1 covariate.
last <- droplevels(d[d$visit == 6 & !is.na(d$y), ])
m <- lm(y ~ arm * site + age + sex, last)
out$lm <- list(equal = means(emmeans(m, "arm")), by = means(emmeans(m, "arm", by = "site")),
  proportional = means(emmeans(m, "arm", weights = "proportional")), outer = means(emmeans(m, "arm", weights = "outer")),
  cells = means(emmeans(m, "arm", weights = "cells")), flat = means(emmeans(m, "arm", weights = "flat")),
  at = means(emmeans(m, c("arm"), by = "age", at = list(age = c(40, 55), sex = 1, site = "west"))))
e <- emmeans(m, "arm")
for (adjust in c("none", "bonferroni", "holm", "hochberg", "sidak", "tukey"))
  out$lm[[paste0("pairwise_", adjust)]] <- tests(e, "pairwise", adjust)
out$lm$by_tukey <- tests(emmeans(m, "arm", by = "site"), "pairwise", "tukey")
out$lm$by_holm <- tests(emmeans(m, "arm", by = "site"), "pairwise", "holm")
out$lm$reference <- tests(e, "trt.vs.ctrl1", "none")
out$lm$greater <- tests(e, "trt.vs.ctrl1", "sidak", side = ">")
out$lm$less <- tests(e, "trt.vs.ctrl1", "bonferroni", side = "<")
out$lm$custom <- tests(e, list("HIGH+LOW" = c(-1, 0.5, 0.5), "mean" = c(1, 1, 1) / 3), "none")
out$lm$effect <- tests(e, "eff", "none")
set.seed(1); out$lm$mvt <- tests(e, "pairwise", "mvt")
out$lm$joint <- joint(pairs(e)); out$lm$joint_by <- joint(pairs(emmeans(m, "arm", by = "site")))

# Over visits: kinds that follow an order.
w <- lm(y ~ arm * fvisit + age, d[!is.na(d$y), ])
e <- emmeans(w, "fvisit")
out$visits <- list(means = means(emmeans(w, "arm", by = "fvisit")), polynomial = tests(e, "poly", "none"),
  consecutive = tests(e, "consec", "none"), mean_change = tests(e, "mean_chg", "none"),
  pairwise_tukey = tests(e, "pairwise", "tukey"))
set.seed(1); out$visits$consecutive_mvt <- tests(e, "consec", "mvt")

# A transformed covariate, held at the mean of the covariate itself.
l <- lm(y ~ arm + log(age), last)
out$transformed <- list(means = means(emmeans(l, "arm")))

# GEE, link and response scales; an offset at zero.
b <- geeglm(event ~ arm * site + age, binomial, d, id = factor(id), corstr = "independence")
e <- emmeans(b, "arm")
out$logit <- list(beta = unname(coef(b)), link = means(e), response = means(e, type = "response"),
  odds_ratio = tests(e, "pairwise", "tukey", type = "response"), by = means(emmeans(b, "arm", by = "site"), type = "response"))
pr <- geeglm(event ~ arm + age, binomial("probit"), d, id = factor(id), corstr = "independence")
out$probit <- list(response = means(emmeans(pr, "arm"), type = "response"),
  contrasts = tests(emmeans(pr, "arm"), "pairwise", "none", type = "response"))
po <- geeglm(count ~ arm + age + offset(log(time)), poisson, d, id = factor(id), corstr = "independence")
e <- emmeans(po, "arm", offset = 0)
out$log <- list(response = means(e, type = "response"), ratio = tests(e, "trt.vs.ctrl1", "holm", type = "response"))

# Generalised least squares, unstructured; emmeans' df.error takes off the covariance parameters too.
known <- d[!is.na(d$y), ]
g <- gls(y ~ arm * fvisit + age, known, correlation = corSymm(form = ~ as.integer(fvisit) | id),
         weights = varIdent(form = ~ 1 | fvisit), control = glsControl(tolerance = 1e-12, msTol = 1e-14, maxIter = 500, msMaxIter = 500))
e <- emmeans(g, "arm", by = "fvisit", mode = "df.error", data = known)
out$gls <- list(means = means(e), tukey = tests(e, "pairwise", "tukey"), joint = joint(pairs(e)))

# Repeated measures: subjects with every visit; multivariate and univariate, the latter with equal groups.
whole <- d[!(d$id %in% d$id[is.na(d$y)]), ]
a <- suppressMessages(aov_car(y ~ arm + Error(id / fvisit), whole, include_aov = TRUE))
e <- emmeans(a, "arm", by = "fvisit", model = "multivariate")
within <- emmeans(a, "fvisit", model = "multivariate")
out$rm <- list(ids = unique(whole$id), means = means(e), tukey = tests(e, "pairwise", "tukey"), joint = joint(pairs(e)),
  within = means(within), within_joint = joint(pairs(within)), within_contrasts = tests(within, "consec", "none"))
keep <- unlist(lapply(split(unique(whole[c("id", "arm")]), ~arm), function(x) head(x$id, 3)))
even <- droplevels(whole[whole$id %in% keep, ])
u <- suppressMessages(aov_car(y ~ arm + Error(id / fvisit), even, include_aov = TRUE))
e <- emmeans(u, "arm", by = "fvisit", model = "univariate")
out$univariate <- list(ids = unname(keep), means = means(e), pairwise = tests(e, "pairwise", "none"),
  within = tests(emmeans(u, "fvisit", model = "univariate"), "consec", "none"))

# Multivariate t: multcomp on the model of month 6; TVPACK, exact in three dimensions; Miwa, exact for the normal.
r <- lm(y ~ arm + age, last)
set.seed(1)
for (kind in c("Dunnett", "Tukey")) {
  h <- glht(r, linfct = do.call(mcp, list(arm = kind)))
  s <- summary(h, test = adjusted("single-step", maxpts = 2e5, abseps = 1e-7))
  k <- confint(h, calpha = adjusted_calpha(abseps = 1e-5, maxpts = 1e5))
  out$multcomp[[kind]] <- list(estimate = unname(coef(h)), std_error = unname(s$test$sigma), p_value = as.numeric(s$test$pvalues),
    error = attr(s$test$pvalues, "error"), limit = as.numeric(attr(k$confint, "calpha")))
}
R3 <- matrix(c(1, 0.3, -0.4, 0.3, 1, 0.55, -0.4, 0.55, 1), 3)
for (df in c(5, 18)) for (q in c(-0.8, 0.5, 2.5)) out$three <- c(out$three, list(list(df = df, limit = q,
  p = 1 - as.numeric(pmvt(rep(-Inf, 3), rep(q, 3), df = df, corr = R3, algorithm = TVPACK(abseps = 1e-14))))))
n5 <- c(12, 10, 8, 6, 9); K <- contrMat(n5, "Tukey")[c(1, 3, 5, 9), ]
V <- K %*% diag(1 / n5) %*% t(K); R4 <- cov2cor(V)
for (q in c(0.5, 2, 3)) out$four <- c(out$four, list(list(limit = q,
  p = 1 - as.numeric(pmvnorm(rep(-q, 4), rep(q, 4), corr = R4, algorithm = Miwa(steps = 1025))))))
out$correlations <- list(three = R3, four = unname(R4))
D <- contrMat(n5, "Dunnett"); RD <- cov2cor(D %*% diag(1 / n5) %*% t(D))
for (q in c(0.5, 2, 3)) out$product <- c(out$product, list(list(limit = q,
  p = 1 - as.numeric(pmvnorm(rep(-q, 4), rep(q, 4), corr = RD, algorithm = Miwa(steps = 1025))))))
out$correlations$product <- unname(RD)

# The studentised range, where R's own integration holds (not at 2 df, where it is off by a tenth).
grid <- expand.grid(limit = c(0.5, 2, 3.5, 5, 8), means = c(2, 3, 7, 20), df = c(5, 18, 60, 1000, Inf))
grid$p <- ptukey(grid$limit, grid$means, grid$df, lower.tail = FALSE)
out$range <- grid
quantiles <- expand.grid(level = c(0.9, 0.95, 0.99), means = c(2, 3, 7), df = c(5, 18, Inf))
quantiles$limit <- qtukey(quantiles$level, quantiles$means, quantiles$df)
out$range_quantiles <- quantiles
write_json(full(out), file.path(here, "emmeans.json"), auto_unbox = TRUE, dataframe = "columns", na = "null")
